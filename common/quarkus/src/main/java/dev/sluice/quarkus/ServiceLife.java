package dev.sluice.quarkus;

import dev.sluice.process.LifeLine;
import dev.sluice.process.PidFile;
import io.quarkus.vertx.http.HttpServer;
import io.quarkus.vertx.http.HttpServerStart;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.ObservesAsync;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Says where the service listens, and ends it when the process that started it is gone. */
@ApplicationScoped
public class ServiceLife {
    private final SluiceConfig config;
    private final HttpServer server;

    ServiceLife(SluiceConfig config, HttpServer server) {
        this.config = config;
        this.server = server;
    }

    void listening(@ObservesAsync HttpServerStart start) {
        config.stateFile().ifPresent(file -> write(file));
        // Not Quarkus.asyncExit: a SIGTERM at the same moment, which ChildProcess.stop sends, would cut its shutdown
        // short.
        LifeLine.watchStdin(() -> System.exit(0));
    }

    private void write(Path file) {
        try {
            PidFile.ofThisProcess(server.getPort()).write(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ", which says where this service listens", e);
        }
    }
}
