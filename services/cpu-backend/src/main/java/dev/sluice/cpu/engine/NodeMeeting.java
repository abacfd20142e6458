package dev.sluice.cpu.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Node 0 of an engine of several nodes: the others connect to it and stay connected. None of them holds a share of the model;
 * what they share is their fate, as the ranks of an NCCL group do. A node says {@code node RANK NODES} and hears {@code ready}
 * when all are there, or {@code refused} with the reason.
 */
final class NodeMeeting implements AutoCloseable {
    private static final Duration HANDSHAKE = Duration.ofSeconds(10);

    private final NodePlace place;
    private final ServerSocket server;
    private final Consumer<String> lost;
    private final Map<Integer, Socket> joined = new ConcurrentSkipListMap<>();
    private final CountDownLatch missing;
    private volatile boolean closed;

    /**
     * Listens from now on.
     *
     * @param lost told, from any thread, when a node that had joined is gone
     * @throws IOException if the address is taken or none of this host's
     */
    NodeMeeting(NodePlace place, InetSocketAddress address, Consumer<String> lost) throws IOException {
        this.place = place;
        this.lost = lost;
        this.missing = new CountDownLatch(place.nodes() - 1);
        this.server = new ServerSocket();
        server.setReuseAddress(true);
        try {
            server.bind(address);
        } catch (IOException e) {
            server.close();
            throw new IOException("--dist-init-addr " + address + " cannot be listened on: " + e.getMessage(), e);
        }
        Thread.ofVirtual().name("meeting").start(this::accept);
    }

    private void accept() {
        while (!closed) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().name("node").start(() -> take(socket));
            } catch (IOException e) {
                if (!closed) {
                    lost.accept("the meeting address cannot be listened on any more: " + e.getMessage());
                }
                return;
            }
        }
    }

    private void take(Socket socket) {
        try (socket) {
            socket.setSoTimeout((int) HANDSHAKE.toMillis());
            BufferedReader lines = reader(socket);
            int rank = rank(lines.readLine());
            if (rank < 1 || joined.putIfAbsent(rank, socket) != null) {
                say(socket, "refused: node 0 waits for other nodes of " + place.nodes());
                return;
            }
            missing.countDown();
            socket.setSoTimeout(0);
            watch(rank, lines);
        } catch (IOException e) {
            // A stranger, or a node that was gone before it had joined.
        }
    }

    private void watch(int rank, BufferedReader lines) {
        try {
            while (lines.readLine() != null) {
                // A node says nothing more.
            }
        } catch (IOException e) {
            // The end of its connection all the same.
        }
        if (!closed) {
            lost.accept("node %d of %d was lost".formatted(rank, place.nodes()));
        }
    }

    /** The rank that a node says it has; -1 where it is none of this engine's. */
    private int rank(String line) {
        return IntStream.range(1, place.nodes())
                .filter(rank -> greeting(rank, place.nodes()).equals(line))
                .findFirst()
                .orElse(-1);
    }

    /** Returns when all nodes are there and know it. */
    void awaitAll() throws IOException {
        try {
            if (missing.getCount() > 0) {
                System.out.printf("Loaded; waiting for node %s of %d%n", absent(), place.nodes());
            }
            if (!missing.await(place.patience().toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("node %s of %d did not join within %d s"
                        .formatted(absent(), place.nodes(), place.patience().toSeconds()));
            }
        } catch (InterruptedException e) {
            throw new IOException("interrupted while it waited for the other nodes", e);
        }
        for (Socket socket : joined.values()) {
            say(socket, "ready");
        }
    }

    private String absent() {
        return IntStream.range(1, place.nodes())
                .filter(rank -> !joined.containsKey(rank))
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(", "));
    }

    /**
     * Joins as another node than 0; returns when all are there.
     *
     * @param lost told, from another thread, when node 0 is gone
     */
    static void join(NodePlace place, InetSocketAddress address, Consumer<String> lost) throws IOException {
        long deadline = System.nanoTime() + place.patience().toNanos();
        Socket socket = connected(place, address, deadline);
        say(socket, greeting(place.rank(), place.nodes()));
        socket.setSoTimeout((int) Math.clamp((deadline - System.nanoTime()) / 1_000_000, 1, Integer.MAX_VALUE));
        BufferedReader lines = reader(socket);
        String answer;
        try {
            answer = lines.readLine();
        } catch (SocketTimeoutException e) {
            throw new IOException(
                    "not all nodes were there within " + place.patience().toSeconds() + " s", e);
        }
        if (!"ready".equals(answer)) {
            throw new IOException(
                    "node 0 at " + address + (answer == null ? " was lost" : " answered '" + answer + "'"));
        }
        socket.setSoTimeout(0);
        Thread.ofPlatform().name("node-0").start(() -> {
            try {
                while (lines.readLine() != null) {
                    // Node 0 says nothing more.
                }
            } catch (IOException e) {
                // The end of its connection all the same.
            }
            lost.accept("node 0 was lost");
        });
    }

    private static Socket connected(NodePlace place, InetSocketAddress address, long deadline) throws IOException {
        while (true) {
            Socket socket = new Socket();
            try {
                InetSocketAddress now = new InetSocketAddress(address.getHostString(), address.getPort());
                socket.connect(now, (int) HANDSHAKE.toMillis());
                return socket;
            } catch (IOException e) {
                socket.close();
                if (System.nanoTime() > deadline) {
                    throw new IOException(
                            "node 0 did not answer at %s within %d s: %s"
                                    .formatted(address, place.patience().toSeconds(), e.getMessage()),
                            e);
                }
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new IOException("interrupted while it waited for node 0", e);
            }
        }
    }

    private static String greeting(int rank, int nodes) {
        return "node " + rank + " " + nodes;
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8), 64);
    }

    private static void say(Socket socket, String line) throws IOException {
        socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** The engine ends in order: nodes that are gone from now on are no loss. */
    @Override
    public void close() {
        closed = true;
    }
}
