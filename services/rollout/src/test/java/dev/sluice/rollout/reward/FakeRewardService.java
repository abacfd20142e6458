package dev.sluice.rollout.reward;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/** A service for rewards or environments that answers, hangs, lies or dies as a test says; the last answer stays. */
public final class FakeRewardService implements AutoCloseable {
    private static final int HANG = -1;
    private static final int DIE = -2;
    private static final int FLOOD = -3;

    private record Answer(int status, String body) {}

    private final HttpServer server;
    private final Deque<Answer> answers = new ArrayDeque<>();
    public final List<String> bodies = new CopyOnWriteArrayList<>();

    public FakeRewardService() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            Answer answer = next();
            switch (answer.status()) {
                case HANG -> {}
                case DIE -> exchange.close();
                case FLOOD -> {
                    exchange.sendResponseHeaders(200, 0);
                    byte[] piece = "1".repeat(1 << 16).getBytes(StandardCharsets.UTF_8);
                    try (OutputStream out = exchange.getResponseBody()) {
                        for (int i = 0; i < 1600; i++) {
                            out.write(piece);
                        }
                    }
                }
                default -> {
                    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(answer.status(), body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                }
            }
        });
        server.start();
    }

    private synchronized Answer next() {
        return answers.size() > 1 ? answers.poll() : answers.peek();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/reward";
    }

    public FakeRewardService answers(int status, String body) {
        answers.add(new Answer(status, body));
        return this;
    }

    public FakeRewardService hangs() {
        return answers(HANG, "");
    }

    public FakeRewardService dies() {
        return answers(DIE, "");
    }

    /** A hundred megabytes. */
    public FakeRewardService floods() {
        return answers(FLOOD, "");
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
