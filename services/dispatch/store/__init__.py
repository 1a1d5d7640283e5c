"""The tables of dispatch and all its SQL."""

from services.dispatch.store.orders import list_orders, order_of, orders_of, save

__all__ = ["list_orders", "order_of", "orders_of", "save"]
