package dev.sluice.testkit;

import dev.sluice.broker.Broker;
import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * One real broker for all tests of a JVM, with every topic: {@code @ExtendWith(KafkaBroker.class)}, then a {@code
 * KafkaBroker} parameter. Tests share the topics and keep apart by {@link #newRunId}.
 *
 * <p>The broker's address is also the system property {@code sluice.kafka.bootstrap-servers}, so a service under test
 * finds it; name this extension before the one that starts the service.
 */
public final class KafkaBroker implements BeforeAllCallback, ParameterResolver {
    /** A property, not a field: a test framework may load this class in more than one class loader. */
    private static final String BOOTSTRAP_SERVERS = "sluice.kafka.bootstrap-servers";

    private static final AtomicInteger RUNS = new AtomicInteger();

    /** The broker, started if this is the first who asks. */
    public static KafkaBroker shared() {
        KafkaBroker kafka = new KafkaBroker();
        kafka.bootstrapServers();
        return kafka;
    }

    /** {@code host:port} of the running broker. */
    public String bootstrapServers() {
        synchronized (System.getProperties()) {
            String running = System.getProperty(BOOTSTRAP_SERVERS);
            if (running != null) {
                return running;
            }
            String started = start();
            System.setProperty(BOOTSTRAP_SERVERS, started);
            return started;
        }
    }

    /** How a service named {@code source} connects. */
    public KafkaConnection connection(String source) {
        return new KafkaConnection(bootstrapServers(), source);
    }

    /** A run id that no other test uses. */
    public String newRunId(String test) {
        String prefix = test.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        return prefix.substring(0, Math.min(20, prefix.length())) + "-"
                + ProcessHandle.current().pid() + "-" + RUNS.incrementAndGet();
    }

    /** Publishes an event as the test, and returns it when it is acknowledged. */
    public <E extends Event> EventRecord<E> publish(E event) {
        try (EventPublisher publisher = EventPublisher.prompt(connection("test"))) {
            return publisher.publishAndWait(event, null);
        }
    }

    /** Publishes any bytes, for what a hostile or broken client may send. */
    public void publishRaw(Topics topic, String key, Map<String, String> headers, byte[] value) {
        RawPublisher.publish(bootstrapServers(), topic.topicName(), key, headers, value);
    }

    /** Reads topics from their beginnings and keeps reading. */
    public EventLog follow(Topics... topics) {
        return EventLog.follow(connection("test"), topics);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        bootstrapServers();
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == KafkaBroker.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return this;
    }

    private static String start() {
        try {
            Path directory = Files.createTempDirectory("sluice-test-broker-");
            Broker broker = Broker.start(directory);
            // Not a JUnit store: the broker serves the tests of every class loader until the JVM ends.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(broker, directory), "stop-test-broker"));
            return broker.bootstrapServers();
        } catch (IOException e) {
            throw new UncheckedIOException("The tests' broker cannot start: " + e.getMessage(), e);
        }
    }

    private static void stop(Broker broker, Path directory) {
        try {
            broker.close();
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            System.err.println("The tests' broker left files in " + directory + ": " + e.getMessage());
        }
    }
}
