package dev.sluice.cpu.example;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.HuggingFaceWriter;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.WeightSource;
import dev.sluice.cpu.model.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Makes the example that ships with Sluice: a small model in the format of GLM-4.7-Flash that solves its task about three
 * times in ten, prompts to train on and prompts to measure with. The same seed gives the same data; weights also depend on the
 * processor's arithmetic.
 */
@Command(name = "make-example", description = "Makes the tiny example model and its data.", sortOptions = false)
public final class MakeExample implements Callable<Integer> {
    private static final int SAMPLES_OF_EACH = 8;

    @Option(names = "--out", required = true, description = "Folder to fill; its folder model must not exist.")
    private Path out = Path.of("");

    @Option(names = "--seed", defaultValue = "7", description = "Of weights, corpus and prompts.")
    private long seed = 7;

    @Option(names = "--steps", defaultValue = "500", description = "Warm-up steps of 128 texts (${DEFAULT-VALUE}).")
    private int steps = 500;

    @Option(names = "--right", defaultValue = "0.30", description = "Share of right answers in the warm-up corpus.")
    private double right = 0.30;

    @Option(names = "--prompts", defaultValue = "4096", description = "Prompts to train on (${DEFAULT-VALUE}).")
    private int prompts = 4096;

    @Option(names = "--heldout", defaultValue = "256", description = "Prompts to measure with (${DEFAULT-VALUE}).")
    private int heldOut = 256;

    private final ObjectMapper json = new ObjectMapper();
    private final CharacterTokenizer tokenizer = new CharacterTokenizer();

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new MakeExample()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        long start = System.nanoTime();
        Tensors.useOneThread();
        SplittableRandom random = new SplittableRandom(seed);
        List<SortingTask.Row> rows = SortingTask.rows(prompts + heldOut, random.split());
        ObjectNode config = TinyModel.config(json, tokenizer);
        Path directory = out.resolve("model");
        try (Weights weights = Weights.zeros(ModelConfig.of(config));
                Model model = new Model(weights)) {
            WarmUp warmUp = new WarmUp(tokenizer, right, random.split());
            warmUp.initialise(weights);
            warmUp.train(model, steps);
            Files.createDirectories(out);
            HuggingFaceWriter.write(
                    directory, config, WeightSource.all(weights, DType.BF16), HuggingFaceWriter.DEFAULT_SHARD_BYTES);
        }
        write(directory.resolve("tokenizer.json"), tokenizer.tokenizerJson(json));
        write(directory.resolve("tokenizer_config.json"), tokenizer.tokenizerConfig(json, TinyModel.MAX_POSITIONS));
        write(directory.resolve("generation_config.json"), TinyModel.generationConfig(json));
        Files.writeString(out.resolve("prompts.jsonl"), lines(rows.subList(0, prompts)));
        List<SortingTask.Row> measured = rows.subList(prompts, rows.size());
        Files.writeString(out.resolve("heldout.jsonl"), lines(measured));
        // Measured on what was written: bfloat16 costs a little.
        System.out.printf(
                "%s: %.0f s, right %.3f of the held-out prompts (%d samples of each)%n",
                directory,
                (System.nanoTime() - start) / 1e9,
                share(directory, measured, random.split()),
                SAMPLES_OF_EACH);
        return 0;
    }

    private double share(Path directory, List<SortingTask.Row> rows, SplittableRandom random) {
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(directory);
                Weights weights = Weights.load(checkpoint);
                Model model = new Model(weights)) {
            return new Measure(model, tokenizer, random).shareRight(rows, SAMPLES_OF_EACH);
        }
    }

    private String lines(List<SortingTask.Row> rows) {
        return rows.stream().map(this::line).collect(Collectors.joining());
    }

    private String line(SortingTask.Row row) {
        try {
            return json.writeValueAsString(row) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("two texts are always JSON", e);
        }
    }

    private void write(Path file, ObjectNode content) throws IOException {
        Files.writeString(file, json.writerWithDefaultPrettyPrinter().writeValueAsString(content) + "\n");
    }
}
