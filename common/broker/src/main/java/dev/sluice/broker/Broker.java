package dev.sluice.broker;

import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.TopicCreation;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * A Kafka broker and controller in this JVM, with every topic of {@link Topics}. Its directory keeps
 * records, offsets and ports from one life to the next; one broker at a time uses a directory.
 */
public final class Broker implements AutoCloseable {
    private static final short REPLICATION = 1;
    private static final int LEADERS_DEADLINE_SECONDS = 30;

    private final KafkaRaftServer server;
    private final BrokerPorts ports;
    private final FileChannel directoryLock;

    private Broker(KafkaRaftServer server, BrokerPorts ports, FileChannel directoryLock) {
        this.server = server;
        this.ports = ports;
        this.directoryLock = directoryLock;
    }

    /** Starts a broker on the port that its directory keeps, or on a free one the first time. */
    public static Broker start(Path directory) throws IOException {
        return start(directory, 0);
    }

    /**
     * Starts a broker and returns when it serves clients and all topics exist.
     *
     * @param directory created and formatted if new
     * @param port where clients connect on 127.0.0.1; 0 for the kept one
     * @throws IOException if another broker uses the directory, a port is taken, or the files cannot be read or written
     */
    public static Broker start(Path directory, int port) throws IOException {
        Path root = Files.createDirectories(directory).toRealPath();
        FileChannel directoryLock = lock(root);
        try {
            BrokerPorts ports = BrokerPorts.take(root, port);
            try {
                Broker broker = new Broker(server(root.resolve("data"), ports), ports, directoryLock);
                broker.open();
                return broker;
            } catch (IOException | RuntimeException e) {
                ports.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            directoryLock.close();
            throw e;
        }
    }

    /** Where clients connect: {@code 127.0.0.1:port}. */
    public String bootstrapServers() {
        return "127.0.0.1:" + port();
    }

    public int port() {
        return ports.clients();
    }

    /** Stops in order: what was acknowledged is on the disk, and the next start has nothing to recover. */
    @Override
    public void close() throws IOException {
        server.shutdown();
        server.awaitShutdown();
        ports.close();
        directoryLock.close();
    }

    private void open() {
        try {
            server.startup();
            TopicCreation.create(new KafkaConnection(bootstrapServers(), "sluice-broker"), REPLICATION);
            awaitLeaders();
        } catch (RuntimeException e) {
            server.shutdown();
            throw e;
        }
    }

    /** A topic exists a moment before its partitions take records; the client asks again until all of them answer. */
    private void awaitLeaders() {
        Map<TopicPartition, OffsetSpec> partitions = Arrays.stream(Topics.values())
                .flatMap(topic -> IntStream.range(0, topic.partitions())
                        .mapToObj(partition -> new TopicPartition(topic.topicName(), partition)))
                .collect(Collectors.toMap(Function.identity(), partition -> OffsetSpec.earliest()));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers(), "retry.backoff.ms", 20))) {
            admin.listOffsets(partitions).all().get(LEADERS_DEADLINE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while the broker started", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    "The broker runs, but its topics did not take records within " + LEADERS_DEADLINE_SECONDS
                            + " s; its warnings above say why",
                    e);
        }
    }

    private static KafkaRaftServer server(Path data, BrokerPorts ports) throws IOException {
        QuietLogging.apply();
        if (!Files.exists(data.resolve("meta.properties"))) {
            format(data);
        }
        KafkaConfig config = new KafkaConfig(BrokerSettings.of(data, ports.clients(), ports.controller()), false);
        return new KafkaRaftServer(config, Time.SYSTEM);
    }

    private static void format(Path data) throws IOException {
        Files.createDirectories(data);
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream()))
                    .setNodeId(BrokerSettings.NODE_ID)
                    .setClusterId(Uuid.randomUuid().toString())
                    .setControllerListenerName(BrokerSettings.CONTROLLER_LISTENER)
                    .setMetadataLogDirectory(data.toString())
                    .addDirectory(data.toString())
                    .run();
        } catch (Exception e) { // the declared type of Formatter.run
            throw new IOException(
                    "The broker's directory " + data + " cannot be formatted: " + e.getMessage()
                            + "; check its rights and free space.",
                    e);
        }
    }

    private static FileChannel lock(Path root) throws IOException {
        FileChannel channel =
                FileChannel.open(root.resolve("broker.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Held by another broker in this JVM: the same answer.
        }
        channel.close();
        throw new IOException(
                "Another broker uses the directory " + root + "; stop it, or start this one with another directory.");
    }
}
