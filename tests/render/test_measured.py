"""What measuring can give is what rendering takes, and what a record may hold."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold import api
from scaffold.asking.interview import collect
from scaffold.changing import recorded
from scaffold.commands.measure import workload
from scaffold.core.domain import Model
from scaffold.core.observed import Profile
from scaffold.making import answers, project
from scaffold.making.items import Items

SHARE = st.none() | st.floats(0, 1)
GAIN = st.none() | st.floats(1e-3, 8)
SIZE = st.none() | st.integers(0, 10**9)
profiles = st.builds(
    Profile,
    calls=st.just(30),
    failures=st.just(0),
    wall_seconds=st.floats(1e-9, 1e6),
    mean_seconds=st.floats(1e-9, 1e6),
    is_async=st.booleans(),
    cpu_fraction=st.none() | st.floats(0, 256),
    gil_fraction=SHARE,
    longest_gil_hold_seconds=st.none(),
    item_bytes=SIZE,
    result_bytes=SIZE,
    picklable=st.none() | st.booleans(),
    picklable_function=st.booleans(),
    peak_memory_bytes=SIZE,
    import_seconds=st.floats(0, 600),
    start_method=st.sampled_from(["fork", "forkserver", "spawn"]),
    longest_seconds=st.none() | st.floats(1e-9, 1e6),
    thread_gain=GAIN,
    in_flight_tried=st.just(8),
    in_flight_gain=st.floats(1, 8),
    in_flight_per_process=st.booleans(),
    process_gain=GAIN,
)


def answered(profile: Profile, tasks: int, model: Model) -> dict:
    """Return the answers of the project that `new --from` makes."""
    work = workload(profile, Items(Path("items.jsonl"), tasks, ()))
    replies = collect({}, None, work)
    advice = api.recommend(replies.workload)
    return answers.gather(
        advice, replies, name="crawl", package="crawl", starter="blank", model=model
    )


@given(profiles, st.integers(1, 10**12), st.sampled_from(Model))
def test_a_record_may_hold_what_was_measured(profile, tasks, model):
    """Read again as it is written."""
    record = json.loads(json.dumps(answered(profile, tasks, model)))
    recorded.checked(record, "answers.json")


@settings(max_examples=8, deadline=None)
@given(profiles, st.sampled_from(Model))
def test_a_project_is_made_of_whatever_was_measured(tmp_path_factory, profile, model):
    """No validator of the template says no."""
    project.render(answered(profile, 1000, model), tmp_path_factory.mktemp("made") / "crawl")


@pytest.mark.parametrize("share", [1.0031, 1.97, 31.5])
def test_a_share_above_one_core_is_an_answer(tmp_path, share):
    """Two clocks differ a little; native threads use several cores."""
    profile = Profile(
        30, 0, 0.01, 0.01, False, share, 0.5, None, 10, 10, True, True, None, 0.1, "fork"
    )
    project.render(answered(profile, 1000, Model.MULTIPROCESSING), tmp_path / "crawl")
