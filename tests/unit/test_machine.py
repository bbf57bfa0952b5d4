"""The cores that count: affinity, and the smallest quota on the way up the control groups."""

import pytest

from scaffold.core.capacity import SPARE_FILES
from scaffold.measuring import machine


def quotas(own, root):
    return list(machine.runner.cpu_quotas(str(own), str(root)))


def group(root, path, **files):
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def membership(tmp_path, text):
    own = tmp_path / "own"
    own.write_text(text)
    return own


def test_v2_quota_of_the_group_itself(tmp_path):
    """`150000 100000` is one and a half cores."""
    root = tmp_path / "cgroup"
    group(root, "app", cpu__max="150000 100000")
    assert quotas(membership(tmp_path, "0::/app\n"), root) == [1.5]


def test_v2_quota_of_a_parent_counts_too(tmp_path):
    """A nested group cannot have more than the one around it."""
    root = tmp_path / "cgroup"
    group(root, "pod", cpu__max="100000 100000")
    group(root, "pod/app", cpu__max="max 100000")
    assert quotas(membership(tmp_path, "0::/pod/app\n"), root) == [1.0]


def test_v1_quota(tmp_path):
    """Version 1 keeps quota and period in two files, under the controller's own mount."""
    root = tmp_path / "cgroup"
    group(
        root,
        "cpu,cpuacct/docker/x",
        cpu__cfs_quota_us="50000",
        cpu__cfs_period_us="100000",
    )
    own = membership(tmp_path, "4:cpu,cpuacct:/docker/x\n0::/\n")
    assert quotas(own, root) == [0.5]


def test_v1_without_a_quota(tmp_path):
    """-1 means that there is none."""
    root = tmp_path / "cgroup"
    group(root, "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert quotas(membership(tmp_path, "1:cpu:/\n"), root) == []


def test_a_path_of_the_host_falls_back_to_the_levels_that_exist(tmp_path):
    """In a container the group's path may be the host's, and only the root be mounted."""
    root = tmp_path / "cgroup"
    group(root, "", cpu__max="200000 100000")
    assert quotas(membership(tmp_path, "0::/kubepods/pod1/x\n"), root) == [2.0]


def test_memory_limit_of_the_group(tmp_path):
    """The group's limit counts when it is below the machine's memory."""
    root = tmp_path / "cgroup"
    group(root, "app", memory__max="100000000")
    assert machine.usable_memory(str(membership(tmp_path, "0::/app\n")), str(root)) == 100_000_000


@pytest.mark.parametrize("text", ["", "garbage", "0::", "::::"])
def test_a_strange_membership_file_limits_nothing(tmp_path, text):
    """What cannot be read is not a quota."""
    assert quotas(membership(tmp_path, text), tmp_path) == []


def test_this_machine_can_be_inspected():
    """Whatever it is, it has a core and a Python."""
    facts = machine.inspect()
    assert facts.cores > 0
    assert facts.workers >= 1
    assert facts.python.startswith("3.")


@pytest.mark.parametrize(("cores", "processes"), [(0.5, 1), (1.0, 1), (1.5, 2), (2.0, 2)])
def test_projects_and_advice_count_the_same_cores(monkeypatch, cores, processes):
    """A part of a core is one more process, here and there."""
    monkeypatch.setattr(machine.runner, "allowed_cores", lambda: 8)
    monkeypatch.setattr(machine.runner, "cpu_quotas", lambda: iter([cores]))
    facts = machine.inspect()
    assert facts.cores == cores
    assert facts.workers == machine.runner.usable_cores() == processes


def test_the_advice_spares_as_many_files_as_a_project():
    assert machine.runner.SPARE == SPARE_FILES
