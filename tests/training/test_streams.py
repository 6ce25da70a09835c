import itertools

import numpy as np

from digitcli.training.streams import Stream, generator


def test_no_stream_is_another():
    drawn = {stream: generator(3, stream).random(50) for stream in Stream}
    for one, other in itertools.combinations(drawn.values(), 2):
        assert not np.isin(one, other).any()


def test_a_stream_begins_anew_each_time_and_is_another_for_another_seed():
    first, again, other = (generator(seed, Stream.ORDER).random(5) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
