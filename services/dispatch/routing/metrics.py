"""What is counted of routing."""

from prometheus_client import Counter

OPINIONS = Counter(
    "jiesu_dispatch_second_opinions_total",
    "Orders by whether what learned from history names the lead that the rules name, and by which of them led",
    ["agrees", "led_by"],
)
