"""Binance's trades of one market into Kafka by cryptofeed's own backend: trades.py ENDPOINT BROKERS TOPIC.

Three things stand in for what is not on this machine: the list of symbols, which REST would give; the address; and plain
WebSocket in place of TLS. The rest is cryptofeed as it comes. Its backend waits for Kafka's acknowledgement of each trade before
it sends the next, so a linger would only slow it down.
"""

import asyncio
import sys

import uvloop
from cryptofeed import FeedHandler
from cryptofeed.backends.kafka import TradeKafka
from cryptofeed.connection import WebsocketEndpoint, WSAsyncConn
from cryptofeed.defines import TRADES
from cryptofeed.exchanges import Binance
from cryptofeed.symbols import Symbols

SYMBOL = {
    "symbol": "ETHUSDT",
    "status": "TRADING",
    "baseAsset": "ETH",
    "quoteAsset": "USDT",
    "filters": [{"tickSize": "0.01"}],
}


class OneTopic(TradeKafka):
    """The backend, with a topic that was made before."""

    default_key = "binance:ETH/USDT"
    topic_name = ""

    def topic(self, data):
        return self.topic_name


def use_plain_websocket(host):
    """cryptofeed takes addresses of wss:// only."""
    secure_open = WSAsyncConn._open

    async def plain_open(self):
        self.address = self.address.replace("wss://", "ws://")
        await secure_open(self)

    WSAsyncConn._open = plain_open
    Binance.websocket_endpoints = [WebsocketEndpoint(f"wss://{host}")]


def main():
    endpoint, brokers, OneTopic.topic_name = sys.argv[1:]
    Symbols.set(Binance.id, *Binance._parse_symbol_data({"symbols": [SYMBOL]}))
    use_plain_websocket(endpoint.removeprefix("ws://"))
    uvloop.install()
    asyncio.set_event_loop(uvloop.new_event_loop())
    kafka = OneTopic(
        bootstrap_servers=brokers, acks="all", enable_idempotence=True, compression_type="lz4", linger_ms=0
    )
    handler = FeedHandler(config={"uvloop": True, "log": {"disabled": True, "filename": "", "level": "WARNING"}})
    handler.add_feed(Binance(symbols=["ETH-USDT"], channels=[TRADES], callbacks={TRADES: kafka}))
    handler.run()


main()
