package dev.sluice.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.events.Topics;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Keeps records that are no events, with SmallRye's header names, so that a person can look at them. */
final class DeadLetters {
    private DeadLetters() {}

    /** Rare, so a producer of its own a letter is cheaper than one that is always open. */
    static void send(KafkaConnection connection, ConsumerRecord<byte[], byte[]> record, String reason) {
        ProducerRecord<byte[], byte[]> letter =
                new ProducerRecord<>(Topics.DEAD_LETTERS.topicName(), record.key(), record.value());
        record.headers().forEach(header -> letter.headers().add(header));
        letter.headers().add("dead-letter-reason", reason.getBytes(UTF_8));
        letter.headers().add("dead-letter-topic", record.topic().getBytes(UTF_8));
        letter.headers()
                .add(
                        "dead-letter-partition",
                        Integer.toString(record.partition()).getBytes(UTF_8));
        letter.headers()
                .add("dead-letter-offset", Long.toString(record.offset()).getBytes(UTF_8));
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                connection.producerSettings(), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(letter);
        }
    }
}
