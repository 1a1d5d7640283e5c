"""Rules of routing, and from when on which of them decide."""

from libs.common.versions import Versions

RULES = Versions("rules", "decided", texts="rule_sets", activations="rule_activations")
