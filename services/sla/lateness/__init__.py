"""How likely an order is to be late 超时预测: shares of what is alike, learned from the clocks whose time is over."""
