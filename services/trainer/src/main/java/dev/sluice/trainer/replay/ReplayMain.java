package dev.sluice.trainer.replay;

import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.events.EventJson;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.process.LifeLine;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.loop.Replay;
import dev.sluice.trainer.run.ImpossibleOrderException;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.workerapi.WorkerException;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A replay as a process: {@code ReplayMain DIRECTORY} with {@code order.json} in it. Writes {@code report.jsonl} there, a
 * line a step, and keeps its files there. Configured as the service is; ends when its stdin closes.
 */
public final class ReplayMain {
    /** What a replay's directory holds. */
    public static final String ORDER = "order.json";

    public static final String REPORT = "report.jsonl";

    private static final Logger LOG = LoggerFactory.getLogger(ReplayMain.class);

    private ReplayMain() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Locale.setDefault(Locale.ROOT);
        LifeLine.watchStdin(() -> System.exit(130));
        Path directory = Path.of(arguments[0]).toAbsolutePath().normalize();
        ReplayOrder order =
                EventJson.mapper().readValue(directory.resolve(ORDER).toFile(), ReplayOrder.class);
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .addDefaultSources()
                .addDiscoveredConverters()
                .withMapping(TrainerConfig.class)
                .build();
        try (Writer report = Files.newBufferedWriter(directory.resolve(REPORT), StandardCharsets.UTF_8)) {
            System.exit(run(order, config, directory, report));
        }
    }

    private static int run(ReplayOrder order, SmallRyeConfig config, Path directory, Writer report)
            throws InterruptedException {
        KafkaConnection connection =
                new KafkaConnection(config.getValue("sluice.kafka.bootstrap-servers", String.class), "sluice-replay");
        TrainerConfig trainer = config.getConfigMapping(TrainerConfig.class);
        try {
            new Replay(order, connection, trainer, directory, line -> write(report, line)).run();
            return 0;
        } catch (ImpossibleOrderException e) {
            write(report, ReplayLine.impossible(String.valueOf(e.getMessage())));
            return 2;
        } catch (TrainingRefusedException | WorkerException | KafkaUnavailableException | IllegalStateException e) {
            LOG.error("the replay ends early runId={}", order.runId(), e);
            write(report, ReplayLine.refused(String.valueOf(e.getMessage())));
            return 1;
        }
    }

    private static void write(Writer report, ReplayLine line) {
        try {
            report.write(EventJson.mapper().writeValueAsString(line) + "\n");
            report.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("the report cannot be written", e);
        }
    }
}
