package dev.sluice.planner;

import dev.sluice.events.RunRequest;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

/** Publishes what came in over HTTP to the topic that every other client writes to as well. */
@ApplicationScoped
class RequestPublisher {
    private final EventPublisher publisher;

    RequestPublisher(KafkaConnection connection) {
        this.publisher = EventPublisher.prompt(connection);
    }

    /** Returns when the broker has it. */
    void publish(RunRequest request) {
        publisher.publishAndWait(request, null);
    }

    @PreDestroy
    void close() {
        publisher.close();
    }
}
