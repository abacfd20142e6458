package dev.sluice.quarkus;

import dev.sluice.kafka.EventReader;
import io.quarkus.runtime.Quarkus;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The readers of this service. It is ready when all of them are; when one stops by itself the service ends, because
 * going on with half of the facts would be worse, and its supervisor starts it anew.
 */
@ApplicationScoped
public class Readers {
    private static final Logger LOG = LoggerFactory.getLogger(Readers.class);
    private static final int EXIT_READER_STOPPED = 3;

    private final Map<String, EventReader> readers = new ConcurrentHashMap<>();

    /** Watches a reader and closes it with the service. */
    public <R extends EventReader> R track(String name, R reader) {
        readers.put(name, reader);
        reader.onFailure(() -> {
            LOG.error("a reader stopped, so this service ends reader={}", name);
            Quarkus.asyncExit(EXIT_READER_STOPPED);
        });
        return reader;
    }

    public void untrack(String name) {
        EventReader reader = readers.remove(name);
        if (reader != null) {
            reader.close();
        }
    }

    Map<String, EventReader> all() {
        return readers;
    }

    @PreDestroy
    void close() {
        readers.values().forEach(EventReader::close);
    }
}
