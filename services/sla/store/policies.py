"""Policies, and from when on which of them judge the clocks that begin."""

from libs.common.versions import Versions

POLICIES = Versions("policies", "judged", texts="policies", activations="policy_activations")
