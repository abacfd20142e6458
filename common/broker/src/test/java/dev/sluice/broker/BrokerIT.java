package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.Topics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerIT {
    @TempDir
    Path directory;

    @Test
    void everyTopicExistsWithItsPartitionsAndNoOtherIsCreatedByUse() throws Exception {
        try (Broker broker = Broker.start(directory);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()))) {
            Set<String> names = admin.listTopics().names().get(20, TimeUnit.SECONDS);

            Map<String, Integer> partitions =
                    admin.describeTopics(names).allTopicNames().get(20, TimeUnit.SECONDS).values().stream()
                            .collect(Collectors.toMap(
                                    TopicDescription::name,
                                    topic -> topic.partitions().size()));
            assertThat(partitions)
                    .isEqualTo(Arrays.stream(Topics.values())
                            .collect(Collectors.toMap(Topics::topicName, Topics::partitions)));
        }
    }

    @Test
    void aRestartKeepsPortRecordsAndOffsets() throws Exception {
        TopicPartition partition = new TopicPartition(Topics.RUN_REQUESTS.topicName(), 0);
        String before;
        try (Broker broker = Broker.start(directory)) {
            before = broker.bootstrapServers();
            Points.publish(before, 1, 2);
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(before)) {
                consumer.commitSync(Map.of(partition, new OffsetAndMetadata(7, "seven")));
            }
        }

        try (Broker broker = Broker.start(directory)) {
            assertThat(broker.bootstrapServers()).isEqualTo(before);
            assertThat(Points.read(before)).containsExactly(Points.point(1), Points.point(2));
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(before)) {
                assertThat(consumer.committed(Set.of(partition)).get(partition).offset())
                        .isEqualTo(7);
            }
        }
    }

    @Test
    void oneBrokerAtATimeUsesADirectory() throws IOException {
        try (Broker broker = Broker.start(directory)) {
            assertThatThrownBy(() -> Broker.start(directory))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("Another broker uses the directory");
        }
    }

    @Test
    void aKeptPortThatAnotherProcessHasIsNamedWithWhatToDo() throws IOException {
        int port;
        try (BrokerPorts ports = BrokerPorts.take(directory, 0)) {
            port = ports.clients();
        }
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress("127.0.0.1", port));

            assertThatThrownBy(() -> Broker.start(directory))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("Port " + port + " of the broker is taken by another process")
                    .hasMessageContaining("ports.json");
        }
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String bootstrapServers) {
        return new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrapServers, "group.id", "planner"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }
}
