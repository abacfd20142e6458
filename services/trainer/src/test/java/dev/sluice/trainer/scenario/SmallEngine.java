package dev.sluice.trainer.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.http.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.Executors;

/** The paths of an engine that a worker calls to give it weights; holds the version that came last. */
final class SmallEngine implements AutoCloseable {
    private final HttpServer server;
    private volatile int version;
    private volatile String group = "";
    private volatile boolean refuses;

    SmallEngine() {
        try {
            server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext(
                "/init_weights_update_group",
                call -> answer(call, body -> {
                    group = body.path("group_name").asText();
                }));
        server.createContext(
                "/update_weights_from_distributed",
                call -> answer(call, body -> {
                    if (!body.path("group_name").asText().equals(group)) {
                        throw new IllegalStateException("no group " + body.path("group_name"));
                    }
                    version = body.path("weight_version").asInt();
                }));
        server.createContext(
                "/update_weights_from_tensor",
                call -> answer(call, body -> {
                    version = body.path("weight_version").asInt();
                }));
        server.setExecutor(Executors.newSingleThreadExecutor());
        server.start();
    }

    private interface Effect {
        void of(JsonNode body);
    }

    private void answer(HttpExchange call, Effect effect) throws IOException {
        try (call) {
            boolean served = !refuses;
            JsonNode body = Json.MAPPER.readTree(call.getRequestBody().readAllBytes());
            try {
                if (served) {
                    effect.of(body);
                }
            } catch (IllegalStateException e) {
                served = false;
            }
            byte[] answer = Json.MAPPER.writeValueAsBytes(Map.of("success", served));
            call.sendResponseHeaders(served ? 200 : 400, answer.length);
            call.getResponseBody().write(answer);
        }
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** The version that was sent last; 0 before. */
    int version() {
        return version;
    }

    void refuse(boolean everything) {
        refuses = everything;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
