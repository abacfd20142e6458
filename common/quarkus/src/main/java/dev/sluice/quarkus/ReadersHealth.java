package dev.sluice.quarkus;

import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready when every topic has been read to the end that was seen at start. */
@Readiness
@ApplicationScoped
public class ReadersHealth implements HealthCheck {
    private final Readers readers;

    ReadersHealth(Readers readers) {
        this.readers = readers;
    }

    @Override
    public HealthCheckResponse call() {
        var response = HealthCheckResponse.named("topics");
        boolean ready = !readers.all().isEmpty();
        for (var reader : readers.all().entrySet()) {
            boolean caughtUp = reader.getValue().ready();
            ready &= caughtUp;
            response.withData(reader.getKey(), caughtUp ? "caught up" : "reading");
        }
        return response.status(ready).build();
    }
}
