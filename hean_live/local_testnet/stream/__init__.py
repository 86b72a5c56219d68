"""The testnet's WebSockets: public topics, the private stream, order entry; who gets what, and what goes wrong on the way.

Import the concrete modules. What private messages and trade replies contain is in `private_topics` and `trade_requests`.
"""
