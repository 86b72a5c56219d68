"""Labels: runs of forced orders, the horizon's edges, what is left out, and the fallback without a feed."""

from __future__ import annotations

import numpy as np
import pytest

from models.cascade.labels import F11, FEED, LabelParams, forced_runs, label_samples, stack
from models.cascade.observe import ANOMALY, FORCED, HOLE, MARK, WIDTH, CascadeTape
from models.errors import DataError
from tests.cascade.markets import light, tape_of

S = 1_000_000_000
PARAMS = LabelParams(horizon_s=300.0, gap_s=15.0, least_orders=3)


def tape(marks: list[tuple[int, int, int]], times: list[int], last: int) -> CascadeTape:
    rows = np.array([(at * S, kind, side) for at, kind, side in marks], MARK)
    at = np.array(times, np.int64) * S
    return CascadeTape(at, np.zeros((len(at), WIDTH)), rows, last * S)


def test_runs_are_cut_at_pauses_and_short_ones_are_none() -> None:
    times = np.array([0, 5, 20, 36, 40, 100, 101, 102, 103], np.int64) * S
    onset, recognised, over = forced_runs(times, 15 * S, 3)
    assert (onset // S).tolist() == [0, 100]
    assert (recognised // S).tolist() == [20, 102]
    assert (over // S).tolist() == [35, 118]
    assert all(len(part) == 0 for part in forced_runs(np.empty(0, np.int64), 15 * S, 3))


def test_a_sample_is_positive_up_to_the_horizon_and_out_of_the_question_during_a_cascade() -> None:
    marks = [(1000 + k, FORCED, -1) for k in range(5)]
    found = label_samples(tape(marks, [699, 700, 999, 1000, 1010, 1019, 1020], 5000), PARAMS)
    assert (found.made_at_ns // S).tolist() == [699, 700, 999, 1020]
    assert found.label.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert found.cascades == 1
    assert found.sources == (FEED,)
    # Known only when the run could have been told: two seconds after its first order.
    assert (found.known_ns - found.made_at_ns == 302 * S).all()


def test_sides_are_runs_of_their_own() -> None:
    marks = [(1000, FORCED, -1), (1001, FORCED, 1), (1002, FORCED, -1), (1003, FORCED, 1)]
    assert label_samples(tape(marks, [900], 5000), PARAMS).cascades == 0


def test_labels_the_tape_does_not_tell_are_left_out() -> None:
    marks = [(1000 + k, FORCED, -1) for k in range(3)] + [(3000, HOLE, 0)]
    found = label_samples(tape(marks, [600, 2600, 2690, 2999, 3000, 3001, 4690, 4699], 5000), PARAMS)
    assert (found.made_at_ns // S).tolist() == [600, 2600, 2690, 3000, 3001, 4690]


def test_without_a_feed_the_anomaly_is_the_label_and_is_named() -> None:
    found = label_samples(tape([(1000, ANOMALY, 1)], [800, 1100, 1301], 5000), PARAMS)
    assert found.sources == (F11,)
    assert (found.made_at_ns // S).tolist() == [800, 1301]
    assert found.label.tolist() == [1.0, 0.0]


def test_tables_stack_in_order_of_time() -> None:
    one = label_samples(tape([(1000 + k, FORCED, -1) for k in range(3)], [600, 900], 5000), PARAMS)
    other = label_samples(tape([(1000, ANOMALY, 1)], [700, 800], 5000), PARAMS)
    both = stack([one, other])
    assert (both.made_at_ns // S).tolist() == [600, 700, 800, 900]
    assert both.sources == (F11, FEED)
    with pytest.raises(DataError, match="one horizon"):
        stack([])


def test_planted_cascades_are_found() -> None:
    from models.cascade.labels import find_cascades
    from models.simulation.order_flow.generator import generate_order_flow

    planted = generate_order_flow(light(2.0), 11, 4 * 3600.0).episodes
    starts = planted["start_ns"][planted["start_ns"] < planted["end_ns"]]
    found = find_cascades(tape_of(2.0, 11, 4.0), LabelParams())
    assert len(found.onset_ns) == len(starts) > 3
    # The first order comes a little after a campaign begins; it is seen when received.
    delay_s = (np.sort(found.onset_ns) - np.sort(starts)) / S
    assert (delay_s > 0.0).all()
    assert (delay_s < 10.0).all()
