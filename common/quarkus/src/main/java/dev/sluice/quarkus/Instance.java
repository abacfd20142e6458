package dev.sluice.quarkus;

import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Who this process is: a stable instance id, and an incarnation that is new each start. */
@ApplicationScoped
public class Instance {
    private final String id;
    private final String incarnation = UUID.randomUUID().toString().substring(0, 8);
    private final SluiceConfig config;

    Instance(SluiceConfig config, @ConfigProperty(name = "quarkus.application.name") String application) {
        this.config = config;
        this.id = config.instanceId().orElse(application.replaceFirst("^sluice-", ""));
    }

    public String id() {
        return id;
    }

    public String incarnation() {
        return incarnation;
    }

    /** The broker connection of this service. */
    @Produces
    @Singleton
    KafkaConnection connection() {
        return new KafkaConnection(
                config.kafka().bootstrapServers(), id, config.kafka().client());
    }

    /** For facts, requests and state, sent at once. Producers of many large results open their own. */
    @Produces
    @Singleton
    EventPublisher publisher(KafkaConnection connection) {
        return EventPublisher.prompt(connection);
    }

    void close(@Disposes EventPublisher publisher) {
        publisher.close();
    }
}
