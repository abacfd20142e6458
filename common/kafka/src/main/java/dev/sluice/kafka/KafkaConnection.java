package dev.sluice.kafka;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * Where the broker is and who asks. Further client settings (security, for example) come from {@code extra} and win.
 *
 * @param bootstrapServers host:port list
 * @param source name of the service instance; the CloudEvents source and the client id
 * @param extra Kafka client settings by their Kafka names
 */
public record KafkaConnection(String bootstrapServers, String source, Map<String, String> extra) {
    static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(30);

    public KafkaConnection {
        extra = Map.copyOf(extra);
    }

    public KafkaConnection(String bootstrapServers, String source) {
        this(bootstrapServers, source, Map.of());
    }

    Map<String, Object> clientSettings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
        return settings;
    }

    Map<String, Object> adminSettings() {
        Map<String, Object> settings = clientSettings();
        settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, source + "-admin");
        settings.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.putAll(extra);
        return settings;
    }

    Map<String, Object> producerSettings() {
        Map<String, Object> settings = clientSettings();
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, source);
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.putAll(extra);
        return settings;
    }

    Map<String, Object> consumerSettings() {
        Map<String, Object> settings = clientSettings();
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 250);
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.putAll(extra);
        return settings;
    }
}
