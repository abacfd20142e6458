package dev.sluice.broker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.process.PortLease;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The broker's two ports on 127.0.0.1, chosen once and kept in {@code <dir>/ports.json}: clients that wait for the broker
 * find it again after a restart.
 */
final class BrokerPorts implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final PortLease clients;
    private final PortLease controller;

    private BrokerPorts(PortLease clients, PortLease controller) {
        this.clients = clients;
        this.controller = controller;
    }

    /**
     * @param wishedPort where clients connect; 0 for the kept one, or a free one at the first start
     * @throws IOException if a port is taken by another process
     */
    static BrokerPorts take(Path directory, int wishedPort) throws IOException {
        Path file = directory.resolve("ports.json");
        JsonNode kept = read(file);
        PortLease clients = lease(file, wishedPort == 0 ? kept.path("clients").asInt(0) : wishedPort);
        PortLease controller;
        try {
            controller = lease(file, kept.path("controller").asInt(0));
        } catch (IOException e) {
            clients.close();
            throw e;
        }
        write(file, clients.port(), controller.port());
        return new BrokerPorts(clients, controller);
    }

    int clients() {
        return clients.port();
    }

    int controller() {
        return controller.port();
    }

    @Override
    public void close() throws IOException {
        clients.close();
        controller.close();
    }

    private static PortLease lease(Path file, int port) throws IOException {
        if (port == 0) {
            return PortLease.take();
        }
        return PortLease.takeAt(PortLease.sharedDirectory(), port)
                .orElseThrow(() -> new IOException("Port " + port + " of the broker is taken by another process; stop"
                        + " that process, or delete " + file + " so that the broker chooses new ports."));
    }

    private static JsonNode read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return JSON.createObjectNode();
        }
        try {
            return JSON.readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is not valid JSON; delete it so that the broker chooses new ports.", e);
        }
    }

    private static void write(Path file, int clients, int controller) throws IOException {
        Path partial = file.resolveSibling("ports.json.tmp");
        Files.write(
                partial,
                JSON.writeValueAsBytes(
                        JSON.createObjectNode().put("clients", clients).put("controller", controller)));
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
