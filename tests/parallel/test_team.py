"""Which units a member owns, what members exchange, and where their shared arrays lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parallel.threads import late_by, together

from numlp.arrays.buffers import LINE
from numlp.parallel.memory import Memory
from numlp.parallel.team import EVERY, Gather, Total, units_of


@given(st.integers(1, 3000), st.integers(1, 20))
def test_every_unit_has_one_owner_and_every_member_its_share(width, size):
    size = min(size, width)
    owned = [units_of(width, rank, size) for rank in range(size)]
    assert [unit for own in owned for unit in range(width)[own]] == list(range(width))
    counts = [own.stop - own.start for own in owned]
    assert min(counts) >= 1
    assert max(counts) <= 2 * width / size + 16
    assert all(type(number) is int for own in owned for number in (own.start, own.stop))


@given(st.integers(1, 64), st.integers(1, 8))
def test_two_members_write_to_no_cache_line_of_float32_at_once(groups, size):
    width = 32 * size * groups
    assert all(units_of(width, rank, size).start % 16 == 0 for rank in range(size))


SHAPES = st.lists(
    st.tuples(
        st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple), st.sampled_from(["u1", "f4", "f8", "i8"])
    ),
    max_size=6,
)


@given(SHAPES)
def test_arrays_of_a_memory_lie_side_by_side_and_each_process_finds_the_same(wanted):
    counting = Memory()
    for shape, dtype in wanted:
        assert not counting.array(shape, dtype).any()
    block = bytearray(counting.size + LINE)
    one, other = ([memory.array(*want) for want in wanted] for memory in (Memory(block), Memory(block)))
    for number, (array, (shape, dtype)) in enumerate(zip(one, wanted, strict=True), start=1):
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
        assert not array.any()  # no array before it has written here
        array[...] = number
    for number, array in enumerate(other, start=1):
        assert (array == number).all()
        assert (array.__array_interface__["data"][0] - np.frombuffer(block, "u1").ctypes.data) % LINE == 0 or (
            array.size == 0
        )


@given(st.integers(2, 4), st.integers(1, 6), st.integers(0, 9), st.integers(0, 10**6))
def test_a_gather_gives_every_member_all_columns(size, n, more, seed):
    width = size + more
    whole = np.random.default_rng(seed).normal(size=(n, width))

    def program(team):
        own = units_of(width, team.rank, size)
        gather = Gather(team, n + 2, width, own, np.float64)
        gather.resize(n)
        return gather(whole[:, own]).copy()

    for found in together(size, program):
        np.testing.assert_array_equal(found, whole)


@given(
    st.integers(2, 4), st.integers(1, 6), st.integers(4, 9), st.booleans(), st.sampled_from(["f4", "f8"]), st.data()
)
def test_a_total_is_the_same_sum_in_the_order_of_ranks_for_every_member(size, n, width, parted, dtype, data):
    seed = data.draw(st.integers(0, 10**6))
    partials = np.random.default_rng(seed).normal(size=(size, n, width)).astype(dtype)
    expected = partials[0] + partials[1]
    for partial in partials[2:]:
        expected = expected + partial

    def program(team):
        total = Total(team, (n + 1) * width, dtype)
        own = (EVERY, units_of(width, team.rank, size)) if parted else EVERY
        total.resize((n, width), own)
        np.copyto(total.partial, partials[team.rank])
        total.send()
        return total.receive(np.empty_like(expected[own])), own

    for found, own in together(size, program):
        np.testing.assert_array_equal(found, expected[own])


@pytest.mark.parametrize("late", range(3))
def test_two_totals_in_turns_keep_what_a_late_member_still_reads(late):
    def program(team):
        totals = [Total(team, 1, np.float64) for _ in range(2)]
        for total in totals:
            total.resize((1,))
        sums = []
        for number in range(20):
            total = totals[number % 2]
            total.partial[0] = number * (team.rank + 1)
            total.send()
            sums.append(total.receive(np.empty(1))[0])
        return sums

    assert together(3, program, late_by(0.0005, late)) == [[6.0 * number for number in range(20)]] * 3
