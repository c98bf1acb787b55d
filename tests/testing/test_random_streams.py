from itertools import permutations

from longchain.testing.random_streams import RandomStreams


def test_same_seed_and_request_give_the_same_stream() -> None:
    assert (
        RandomStreams(1).stream(["a", "b"]).random() == RandomStreams(1).stream(["a", "b"]).random()
    )


def test_streams_differ_by_seed_request_and_occurrence() -> None:
    chance = RandomStreams(1)
    drawn = [chance.stream(parts).random() for parts in (["ab"], ["a", "b"], ["ab"], ["ab"])]
    drawn.append(RandomStreams(2).stream(["ab"]).random())
    assert len(set(drawn)) == 5


def test_order_of_requests_does_not_matter() -> None:
    results = []
    for order in permutations("abcb"):
        chance = RandomStreams(7)
        results.append(sorted((name, chance.stream([name]).random()) for name in order))
    assert all(result == results[0] for result in results)


def test_without_variation_every_occurrence_is_the_first() -> None:
    chance = RandomStreams(3, vary=False)
    assert chance.stream("a").random() == chance.stream("a").random()
