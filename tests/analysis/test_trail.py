"""The trail of a finding to the target: worked by hand, and against pgmpy's d-separation on random networks."""

import warnings
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from printed_networks import ASIA, BURGLARY
from properties import examples

from calcinosis.analysis.explain.active_trail import trail
from calcinosis.inference.findings.reader import read_findings
from calcinosis.inference.model import Model


def test_two_causes_are_joined_once_their_effect_is_known(build):
    network = build("E", BURGLARY)
    model = Model(network)
    assert trail(network, model.read(B="yes"), "B") == ()
    assert trail(network, model.read(B="yes", A="yes"), "B") == ("B", "A", "E")
    assert trail(network, model.read(B="yes", J="yes"), "B") == ("B", "A", "E")
    assert trail(network, model.read(J="yes"), "J") == ("J", "A", "E")


def test_what_is_known_stops_a_trail_unless_it_leaves_a_doubt(build):
    network = build("lung", ASIA)
    model = Model(network)
    assert trail(network, model.read(dysp="yes"), "dysp") == ("dysp", "either", "lung")
    assert trail(network, model.read(dysp="yes", either="yes"), "dysp") == ("dysp", "bronc", "smoke", "lung")
    assert trail(network, model.read(dysp="yes", either="yes", smoke="no"), "dysp") == ()
    assert trail(network, model.read(dysp="yes", either="yes:0.9,no:0.3"), "dysp") == ("dysp", "either", "lung")


def test_it_keeps_to_arrows_and_agrees_with_pgmpy(networks):
    @examples(150)
    @given(networks, st.data())
    def check(network, data):
        others = [name for name in network.variables if name != network.target]
        if not others:
            return
        known = data.draw(st.lists(st.sampled_from(others), unique=True, min_size=1))
        evidence = read_findings(
            {name: network.variables[name].state_names[0] for name in known}, network.variables, (), []
        )
        start = known[0]
        found = trail(network, evidence, start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = Model(network).to_pgmpy()
            reached = graph.active_trail_nodes(start, observed=[name for name in known if name != start])[start]
        assert bool(found) == (network.target in reached)
        if found:
            assert (found[0], found[-1]) == (start, network.target)
            assert len(set(found)) == len(found)
            for one, other in pairwise(found):
                assert one in network.parents[other] or other in network.parents[one]

    check()
