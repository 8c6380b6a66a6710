#!/usr/bin/env python3
"""RabbitMQ by pika: a work queue as it is often written.

    AMQP=amqp://guest:guest@127.0.0.1:5672/ python3 rabbitmq_pika.py receipt|work

`receipt` acknowledges on receipt (`auto_ack`), before the work; `work` after it, as the second tutorial has it
(https://www.rabbitmq.com/tutorials/tutorial-two-python): durable queue, persistent messages, no publisher confirms.
Both dead-letter into a direct exchange whose queue is bound to the empty routing key.
"""
import os
import sys

import pika
from frame import INVALID, NOT_FOUND, Adapter, Delivery, Refused, shown
from pika.exceptions import ChannelClosedByBroker

PERSISTENT = pika.DeliveryMode.Persistent
GRAVE = ".graveyard"


class RabbitMq(Adapter):
    version = pika.__version__
    # Durable queues and persistent messages, but nothing here restarts the server, so `durable` is not asked.
    claims = "core priority fifo dead-letter large"

    def __init__(self, on_receipt: bool) -> None:
        super().__init__()
        self.on_receipt = on_receipt
        self.choices = {"retry_place": "back" if on_receipt else "keeps"}
        self.name = "pika, acknowledged on receipt" if on_receipt else "pika, acknowledged after the work"

    def connect(self):
        parameters = pika.URLParameters(os.environ["AMQP"])
        parameters.heartbeat = 0  # nobody works here, so nobody would answer them
        connection = pika.BlockingConnection(parameters)
        return [connection, connection.channel()]

    def leave(self, connection, graceful, held):
        connection[0].close()

    def on(self, connection, ask):
        """The broker closes the channel when it refuses something."""
        try:
            return ask(connection[1])
        except ChannelClosedByBroker as closed:
            connection[1] = connection[0].channel()
            if closed.reply_code == 404:
                raise Refused(NOT_FOUND, closed.reply_text) from None
            raise

    def create(self, connection, queue, policy):
        def ask(channel):
            channel.exchange_declare(queue + GRAVE, "direct", durable=True)
            channel.queue_declare(queue + GRAVE, durable=True)
            channel.queue_bind(queue + GRAVE, exchange=queue + GRAVE, routing_key="")
            channel.queue_declare(queue, durable=True, arguments={
                "x-max-priority": policy["max_priority"], "x-dead-letter-exchange": queue + GRAVE})
        self.on(connection, ask)

    def properties(self, id, priority):
        return pika.BasicProperties(message_id=id, priority=priority, delivery_mode=PERSISTENT)

    def put(self, connection, queue, message):
        if not 0 <= message.priority <= 255:
            raise Refused(INVALID, "priority: pika writes one byte")  # it throws a struct.error
        properties = self.properties(message.id, message.priority)
        self.on(connection, lambda channel: channel.basic_publish("", queue, message.body, properties))

    def take(self, connection, queue):
        method, properties, body = self.on(connection, lambda it: it.basic_get(queue, auto_ack=self.on_receipt))
        if method is None:
            return None
        attempt = 2 if method.redelivered else 1  # all that the broker tells
        handle = (method.delivery_tag, properties.message_id, properties.priority, body)
        return Delivery(handle, properties.message_id, body, properties.priority, attempt)

    def end(self, connection, queue, handle, verdict, reason, delay_ms):
        tag, id, priority, body = handle
        exchange = {"dead": queue + GRAVE, "retry": ""}.get(verdict)

        def ask(channel):
            if not self.on_receipt and verdict == "done":
                channel.basic_ack(tag)
            elif not self.on_receipt:
                channel.basic_nack(tag, requeue=verdict == "retry")
            elif exchange is not None:
                # The broker has forgotten it: what is left is to publish it again.
                channel.basic_publish(exchange, queue, body, self.properties(id, priority))
        self.on(connection, ask)

    def count(self, connection, queue):
        declared = self.on(connection, lambda channel: channel.queue_declare(queue, passive=True))
        return {"ready": declared.method.message_count}

    def letters(self, connection, queue, max):
        def ask(channel):
            letters, last = [], None
            while len(letters) < max:
                method, properties, body = channel.basic_get(queue + GRAVE)
                if method is None:
                    break
                last = method.delivery_tag
                letters.append((properties, body))
            if last is not None:
                channel.basic_nack(last, multiple=True, requeue=True)
            return letters
        return [{"id": it.message_id, "reason": (it.headers or {}).get("x-first-death-reason", ""),
                 "attempts": 1, "priority": it.priority, **shown(body)} for it, body in self.on(connection, ask)]

    def remove(self, connection, queue):
        for name in (queue, queue + GRAVE):
            self.on(connection, lambda channel: channel.queue_delete(name))
        self.on(connection, lambda channel: channel.exchange_delete(queue + GRAVE))


if __name__ == "__main__":
    RabbitMq(sys.argv[1] == "receipt").run()
