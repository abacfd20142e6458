package dev.sluice.kafka;

import dev.sluice.events.Topics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;

/** Creates the topics of {@link Topics} that do not exist yet. */
public final class TopicCreation {
    private static final int DEADLINE_SECONDS = 30;

    private TopicCreation() {}

    /** Creates the topics on the broker that SLUICE_KAFKA_BOOTSTRAP_SERVERS names, with SLUICE_KAFKA_REPLICATION replicas (3). */
    public static void main(String[] args) {
        String servers = System.getenv().getOrDefault("SLUICE_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092");
        short replication = Short.parseShort(System.getenv().getOrDefault("SLUICE_KAFKA_REPLICATION", "3"));
        List<String> created = create(new KafkaConnection(servers, "topic-creation"), replication);
        System.out.println(created.isEmpty() ? "every topic exists" : "created " + String.join(", ", created));
    }

    /**
     * @param replication replicas of each partition: 3 in production, 1 on a single broker
     * @return the names that were created
     */
    public static List<String> create(KafkaConnection connection, short replication) {
        try (Admin admin = Admin.create(connection.adminSettings())) {
            Set<String> existing = admin.listTopics().names().get(DEADLINE_SECONDS, TimeUnit.SECONDS);
            List<NewTopic> missing = Arrays.stream(Topics.values())
                    .filter(topic -> !existing.contains(topic.topicName()))
                    .map(topic -> newTopic(topic, replication))
                    .toList();
            List<String> created = new ArrayList<>();
            for (var creation : admin.createTopics(missing).values().entrySet()) {
                if (createdHere(creation.getValue())) {
                    created.add(creation.getKey());
                }
            }
            return created;
        } catch (ExecutionException e) {
            throw new KafkaUnavailableException(
                    "cannot create the topics: " + e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new KafkaUnavailableException(
                    "no answer from the broker at " + connection.bootstrapServers() + " within " + DEADLINE_SECONDS
                            + " s",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaUnavailableException("interrupted while creating topics", e);
        }
    }

    /** False where another process was faster. */
    private static boolean createdHere(KafkaFuture<Void> creation)
            throws ExecutionException, InterruptedException, TimeoutException {
        try {
            creation.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return false;
            }
            throw e;
        }
    }

    static NewTopic newTopic(Topics topic, short replication) {
        Map<String, String> settings = new HashMap<>();
        Topics.Retention retention = topic.retention();
        if (retention.compact()) {
            settings.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
        } else {
            settings.put(
                    TopicConfig.RETENTION_MS_CONFIG,
                    retention.time() == null
                            ? "-1"
                            : Long.toString(retention.time().toMillis()));
        }
        settings.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(2 << 20));
        if (replication >= 3) {
            settings.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "2");
        }
        return new NewTopic(topic.topicName(), topic.partitions(), replication).configs(settings);
    }
}
