package dev.sluice.quarkus;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.events.EventJson;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** HTTP answers spell values as events do. */
public class JsonOnTheWire {
    @Produces
    @Singleton
    ObjectMapper mapper() {
        return EventJson.mapper().copy();
    }
}
