"""Reads a topic of Heddle from its beginning to its present end, and writes one line of JSON for each event.

Knows nothing of Heddle but its protobuf descriptors: consume.py BROKERS TOPIC heddle.binpb
"""

import json
import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition, OFFSET_BEGINNING
from confluent_kafka.admin import AdminClient, NewTopic
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

DEADLINE_SECONDS = 60


def load_message_class(path, name):
    """The class of a message by its full name, which is the name of the topic."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def read_to_end(brokers, topic):
    """Every message that the topic has now, partition by partition in order."""
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "group.id": f"interop-python-{uuid.uuid4()}",
        "enable.auto.commit": False,
    })
    partitions = consumer.list_topics(topic, timeout=DEADLINE_SECONDS).topics[topic].partitions
    open_partitions = {}
    for partition in partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=DEADLINE_SECONDS)
        if low < high:
            open_partitions[partition] = high
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in open_partitions])
    while open_partitions:
        message = consumer.poll(DEADLINE_SECONDS)
        if message is None:
            raise TimeoutError(f"partitions {sorted(open_partitions)} ended early")
        if message.error():
            raise RuntimeError(message.error())
        if message.partition() in open_partitions:
            yield message
            if message.offset() + 1 >= open_partitions[message.partition()]:
                del open_partitions[message.partition()]
    consumer.close()


def place(brokers, keys, count):
    """Where librdkafka puts each key on a topic with as many partitions, when it is told to use Java's hash."""
    admin = AdminClient({"bootstrap.servers": brokers})
    scratch = f"interop-python-{uuid.uuid4()}"
    admin.create_topics([NewTopic(scratch, count, 1)])[scratch].result(DEADLINE_SECONDS)
    placed = {}

    def delivered(error, message):
        if error is not None:
            raise RuntimeError(error)
        placed[message.key().decode()] = message.partition()

    producer = Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random"})
    for key in keys:
        producer.produce(scratch, key=key, on_delivery=delivered)
    producer.flush(DEADLINE_SECONDS)
    admin.delete_topics([scratch])[scratch].result(DEADLINE_SECONDS)
    return placed


def main(brokers, topic, descriptors):
    event_class = load_message_class(descriptors, topic)
    events = []
    for message in read_to_end(brokers, topic):
        event = event_class.FromString(message.value())
        events.append({
            "partition": message.partition(),
            "offset": message.offset(),
            "key": message.key().decode(),
            "headers": {name: value.decode() for name, value in message.headers()},
            "event": json_format.MessageToDict(event),
        })
    admin = AdminClient({"bootstrap.servers": brokers})
    count = len(admin.list_topics(topic, timeout=DEADLINE_SECONDS).topics[topic].partitions)
    placed = place(brokers, {event["key"] for event in events}, count)
    for event in events:
        print(json.dumps({**event, "keyBelongsTo": placed[event["key"]]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
