package dev.sluice.broker;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Kafka's settings for one node that serves one machine: little memory, small files, quick starts, nothing forgotten. */
final class BrokerSettings {
    static final int NODE_ID = 1;
    static final String CONTROLLER_LISTENER = "CONTROLLER";
    private static final String CLIENT_LISTENER = "CLIENTS";
    private static final int MIB = 1 << 20;
    private static final int KIB = 1 << 10;

    private BrokerSettings() {}

    static Map<String, Object> of(Path data, int clientPort, int controllerPort) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("log.dirs", data.toString());
        network(settings, clientPort, controllerPort);
        oneNode(settings);
        topics(settings);
        memory(settings);
        // As text: Kafka parses each to the type it declares, and refuses an int where it wants a short.
        settings.replaceAll((name, value) -> value.toString());
        return settings;
    }

    private static void network(Map<String, Object> settings, int clientPort, int controllerPort) {
        String clients = CLIENT_LISTENER + "://127.0.0.1:" + clientPort;
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", NODE_ID);
        settings.put("controller.quorum.voters", NODE_ID + "@127.0.0.1:" + controllerPort);
        settings.put("listeners", clients + "," + CONTROLLER_LISTENER + "://127.0.0.1:" + controllerPort);
        settings.put("advertised.listeners", clients);
        settings.put("inter.broker.listener.name", CLIENT_LISTENER);
        settings.put("controller.listener.names", CONTROLLER_LISTENER);
        settings.put(
                "listener.security.protocol.map", CLIENT_LISTENER + ":PLAINTEXT," + CONTROLLER_LISTENER + ":PLAINTEXT");
        settings.put("num.network.threads", 2);
        settings.put("num.io.threads", 4);
    }

    private static void oneNode(Map<String, Object> settings) {
        settings.put("default.replication.factor", 1);
        settings.put("min.insync.replicas", 1);
        settings.put("offsets.topic.replication.factor", 1);
        settings.put("offsets.topic.num.partitions", 4);
        settings.put("transaction.state.log.replication.factor", 1);
        settings.put("transaction.state.log.min.isr", 1);
        settings.put("transaction.state.log.num.partitions", 4);
        // A transaction right behind another one of its producer waits until that one's marks are written; Kafka looks
        // every 20 ms.
        settings.put("add.partitions.to.txn.retry.backoff.ms", 1);
        settings.put("group.initial.rebalance.delay.ms", 0);
        // After kill -9 the controller waits this long before it lets the broker's next life in. With 2 s,
        // late heartbeats of a busy machine fenced the only broker while it lived.
        settings.put("broker.session.timeout.ms", 6_000);
        settings.put("broker.heartbeat.interval.ms", 500);
    }

    private static void topics(Map<String, Object> settings) {
        settings.put("auto.create.topics.enable", false);
        // A run may rest for months; its offsets must not be forgotten meanwhile.
        settings.put("offsets.retention.minutes", 60 * 24 * 365);
        settings.put("message.max.bytes", 2 * MIB);
        // Index files are created at their full size: with ten MiB each, 130 partitions would claim gigabytes.
        settings.put("log.segment.bytes", 64 * MIB);
        settings.put("log.index.size.max.bytes", 256 * KIB);
        settings.put("log.index.interval.bytes", 16 * KIB);
    }

    private static void memory(Map<String, Object> settings) {
        settings.put("log.cleaner.threads", 1);
        settings.put("log.cleaner.dedupe.buffer.size", 4 * MIB);
        settings.put("log.cleaner.io.buffer.size", 256 * KIB);
        settings.put("offsets.load.buffer.size", MIB);
        settings.put("transaction.state.log.load.buffer.size", MIB);
        settings.put("offsets.topic.segment.bytes", 16 * MIB);
        settings.put("transaction.state.log.segment.bytes", 16 * MIB);
        settings.put("metadata.log.max.record.bytes.between.snapshots", MIB);
        settings.put("background.threads", 2);
        settings.put("num.recovery.threads.per.data.dir", 2);
        settings.put("group.coordinator.threads", 1);
        settings.put("socket.request.max.bytes", 16 * MIB);
    }
}
