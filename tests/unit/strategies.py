"""What Hypothesis draws: workloads and machines of every kind that the domain allows."""

from hypothesis import strategies as st

from scaffold.core.domain import Bound, Machine, Workload

machines = st.builds(
    Machine,
    cores=st.sampled_from([0.5, 1.0, 1.5, 2.0, 4.0, 8.0, 64.0]),
    memory_bytes=st.one_of(st.none(), st.integers(2**28, 2**40)),
    python=st.just("3.13.0"),
    gil=st.booleans(),
    start_method=st.sampled_from(["fork", "forkserver", "spawn"]),
    open_files=st.one_of(st.none(), st.integers(16, 10**6)),
    platform=st.sampled_from(["linux", "darwin", "win32"]),
    memory_left_bytes=st.one_of(st.none(), st.integers(2**26, 2**38)),
)

fractions = st.floats(0, 1)

workloads = st.builds(
    Workload,
    bound=st.sampled_from(Bound),
    tasks=st.integers(1, 10**7),
    task_seconds=st.floats(0, 10**4),
    cpu_fraction=fractions,
    gil_fraction=fractions,
    async_client=st.booleans(),
    max_in_flight=st.one_of(st.none(), st.integers(1, 10**5)),
    rate_per_second=st.one_of(st.none(), st.floats(1e-3, 10**5)),
    payload_bytes=st.integers(0, 10**9),
    task_memory_bytes=st.one_of(st.just(0), st.integers(10**6, 10**10)),
    import_bytes=st.one_of(st.just(0), st.integers(10**6, 10**9)),
)
