package dev.sluice.trainer.scenario;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.events.Float32Array;
import dev.sluice.http.Json;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.ConnectRequest;
import dev.sluice.workerapi.Connected;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.ForwardResult;
import dev.sluice.workerapi.Held;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LoadResult;
import dev.sluice.workerapi.MemoryMoved;
import dev.sluice.workerapi.OffloadRequest;
import dev.sluice.workerapi.OnloadRequest;
import dev.sluice.workerapi.Operation;
import dev.sluice.workerapi.RankProgress;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.SendRequest;
import dev.sluice.workerapi.Sent;
import dev.sluice.workerapi.ShutdownRequest;
import dev.sluice.workerapi.TrainMetrics;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import dev.sluice.workerapi.WorkerError;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerHealth;
import dev.sluice.workerapi.WorkerInfo;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A worker process whose weights are a hash chain over the tokens and advantages it was trained on: any batch that is left
 * out, repeated, reordered or different gives other weights.
 */
public final class ChainWorkerMain {
    /** Environment variable: a micro-batch of more tokens does not fit into this worker's memory. */
    static final String MAX_TOKENS = "CHAIN_WORKER_MAX_TOKENS";

    /** Environment variable: a file that gets a line for each call, its path and body. */
    static final String NOTES = "CHAIN_WORKER_NOTES";

    /** Environment variable: a file until whose creation training goes on, on two ranks of which the second is late. */
    static final String PAUSE = "CHAIN_WORKER_PAUSE";

    /** Environment variable: what it says that it can do, if not everything. */
    static final String CAPABILITIES = "CHAIN_WORKER_CAPABILITIES";

    /** A folder that holds a file of this name, and all below it, has no room for a cut. */
    static final String FULL = "disk-is-full";

    private final Map<String, Object> answers = new HashMap<>();
    private final Map<String, Unwritten> unwritten = new HashMap<>();
    private final Set<String> trainings = new HashSet<>();
    private @Nullable String runId;
    private String weights = "";
    private int step = -1;
    private @Nullable String batchSha256;
    private int weightVersion = -1;
    private int epoch = -1;
    private final Set<Held> away = EnumSet.noneOf(Held.class);
    private List<String> connected = List.of();
    private volatile long lastCall = System.nanoTime();

    /** A cut that is written beside training: after so many further questions. */
    private record Unwritten(Path directory, String content, int asks) {}

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[List.of(arguments).indexOf("--port") + 1]);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        ChainWorkerMain worker = new ChainWorkerMain();
        server.createContext("/", worker::handle);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
        while (System.nanoTime() - worker.lastCall < Duration.ofSeconds(30).toNanos()) {
            LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
        }
        Runtime.getRuntime().halt(0);
    }

    /** The weights after a batch, to which a masked token contributes nothing. */
    static String chain(String before, Batch batch) {
        float[] advantages = batch.advantages().clone();
        for (int token = 0; token < advantages.length; token++) {
            advantages[token] = batch.lossMask()[token] == 0 ? 0 : advantages[token];
        }
        return chain(before, Arrays.toString(batch.tokens()) + Arrays.toString(advantages));
    }

    static String chain(String before, String content) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest((before + content).getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private synchronized void handle(HttpExchange exchange) throws IOException {
        lastCall = System.nanoTime();
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            byte[] body = exchange.getRequestBody().readAllBytes();
            note(path, body);
            Object answer;
            int status = 200;
            try {
                answer = answer(path, body);
            } catch (Refusal e) {
                answer = e.error;
                status = e.error.code().status();
            }
            byte[] json = Json.MAPPER.writeValueAsBytes(answer);
            exchange.sendResponseHeaders(status, json.length);
            exchange.getResponseBody().write(json);
        }
    }

    private static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient WorkerError error;

        private Refusal(WorkerErrorCode code, String message) {
            super(message);
            this.error = WorkerError.of(code, message, "");
        }
    }

    private Object answer(String path, byte[] body) throws IOException {
        return switch (path) {
            case "/health" ->
                new WorkerHealth(
                        step < 0 ? WorkerHealth.State.EMPTY : WorkerHealth.State.READY,
                        runId,
                        epoch,
                        step,
                        batchSha256,
                        weightVersion);
            case "/info" -> new WorkerInfo("chain", "1", 1, capabilities(), true);
            case "/load" -> load(Json.MAPPER.readValue(body, LoadRequest.class));
            case "/forward" -> forward(Json.MAPPER.readValue(body, ForwardRequest.class));
            case "/train" -> train(Json.MAPPER.readValue(body, TrainRequest.class));
            case "/export" -> export(Json.MAPPER.readValue(body, ExportRequest.class));
            case "/save" -> save(Json.MAPPER.readValue(body, SaveRequest.class));
            case "/offload" -> offload(Json.MAPPER.readValue(body, OffloadRequest.class));
            case "/onload" -> onload(Json.MAPPER.readValue(body, OnloadRequest.class));
            case "/weights/connect" -> connect(Json.MAPPER.readValue(body, ConnectRequest.class));
            case "/weights/send" -> send(Json.MAPPER.readValue(body, SendRequest.class));
            case "/shutdown" -> {
                admit(Json.MAPPER.readValue(body, ShutdownRequest.class).epoch());
                Thread.ofPlatform().start(() -> Runtime.getRuntime().halt(0));
                yield Map.of();
            }
            default -> operation(path.substring("/operations/".length()));
        };
    }

    private static Set<String> capabilities() {
        String named = System.getenv().getOrDefault(CAPABILITIES, "train,offload,send:nccl,send:tensor");
        return Set.of(named.split(","));
    }

    private static void note(String path, byte[] body) throws IOException {
        String notes = System.getenv(NOTES);
        if (notes != null && body.length > 0) {
            String line = path + " " + new String(body, StandardCharsets.UTF_8) + "\n";
            Files.writeString(Path.of(notes), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    private Operation operation(String id) throws IOException {
        if (trainings.contains(id) && isPaused()) {
            return onTwoRanks(id);
        }
        Unwritten left = unwritten.remove(id);
        if (left != null && left.asks() > 0) {
            unwritten.put(id, new Unwritten(left.directory(), left.content(), left.asks() - 1));
            return running(id);
        }
        if (left != null) {
            return done(id, files(left.directory(), left.content()));
        }
        Object answer = answers.get(id);
        if (answer == null) {
            throw new Refusal(WorkerErrorCode.NOT_FOUND, "no operation " + id);
        }
        return done(id, answer);
    }

    private void admit(int callEpoch) {
        if (callEpoch < epoch) {
            throw new Refusal(WorkerErrorCode.STALE_EPOCH, callEpoch + " was replaced by " + epoch);
        }
        epoch = callEpoch;
    }

    private Operation done(String id, Object result) {
        answers.put(id, result);
        return new Operation(id, Operation.State.DONE, 1, Json.MAPPER.valueToTree(result), null);
    }

    private Operation load(LoadRequest request) throws IOException {
        admit(request.epoch());
        runId = request.runId();
        batchSha256 = null;
        away.clear();
        if (request.resumeFrom() == null) {
            weights = "source";
            step = 0;
        } else {
            List<String> lines = Files.readAllLines(Path.of(request.resumeFrom(), "weights.txt"));
            step = Integer.parseInt(lines.get(0));
            weights = lines.get(1);
        }
        return done(request.operationId(), new LoadResult(step, 1, false, 0.01, weights));
    }

    private Operation offload(OffloadRequest request) {
        admit(request.epoch());
        away.addAll(request.what());
        return done(request.operationId(), new MemoryMoved(1, 2, 1, 0.01));
    }

    private Operation onload(OnloadRequest request) {
        admit(request.epoch());
        away.removeAll(request.what());
        return done(request.operationId(), new MemoryMoved(1, 1, 2, 0.01));
    }

    private void need(Held... held) {
        List<Held> missing = Stream.of(held).filter(away::contains).toList();
        if (!missing.isEmpty()) {
            throw new Refusal(WorkerErrorCode.NOT_LOADED, missing + " are offloaded");
        }
    }

    private Operation connect(ConnectRequest request) {
        admit(request.epoch());
        connected =
                request.engines().stream().map(ConnectRequest.Member::address).toList();
        connected.forEach(
                address -> tell(address + "/init_weights_update_group", Map.of("group_name", request.groupName())));
        return done(request.operationId(), new Connected(request.groupName(), 0.01));
    }

    private Operation send(SendRequest request) {
        admit(request.epoch());
        need(Held.WEIGHTS);
        boolean broadcast = request.transport() == SendRequest.Transport.NCCL;
        List<String> engines = Objects.requireNonNull(request.engines());
        if (broadcast && !connected.equals(engines)) {
            throw new Refusal(WorkerErrorCode.INTERNAL, "the group has " + connected + ", not " + engines);
        }
        if (!broadcast && !away.containsAll(Set.of(Held.OPTIMIZER, Held.GRADIENTS))) {
            throw new Refusal(WorkerErrorCode.OUT_OF_MEMORY, "engines have no room beside the optimizer");
        }
        String path = broadcast ? "/update_weights_from_distributed" : "/update_weights_from_tensor";
        engines.forEach(address -> tell(
                address + path,
                Map.of(
                        "weight_version",
                        request.version(),
                        "group_name",
                        Objects.requireNonNullElse(request.groupName(), ""))));
        weightVersion = request.version();
        return done(request.operationId(), new Sent(1, 1, 0.01));
    }

    private static void tell(String engine, Map<String, Object> body) {
        try {
            HttpRequest call = HttpRequest.newBuilder(URI.create(engine))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(Json.MAPPER.writeValueAsBytes(body)))
                    .build();
            int status = HttpClient.newHttpClient()
                    .send(call, HttpResponse.BodyHandlers.discarding())
                    .statusCode();
            if (status != 200) {
                throw new Refusal(WorkerErrorCode.INTERNAL, engine + " answered " + status);
            }
        } catch (IOException | InterruptedException e) {
            throw new Refusal(WorkerErrorCode.INTERNAL, engine + " does not answer: " + e);
        }
    }

    private Operation train(TrainRequest request) throws IOException {
        admit(request.epoch());
        if (answers.containsKey(request.operationId())) {
            return operation(request.operationId());
        }
        if (request.step() != step + 1) {
            throw new Refusal(WorkerErrorCode.STEP_OUT_OF_ORDER, "step " + request.step() + " after " + step);
        }
        need(Held.values());
        Path file = Path.of(request.batch());
        Batch batch = BatchFile.read(file);
        refuseTooLarge(batch);
        weights = chain(weights, batch);
        step = request.step();
        batchSha256 = BatchFile.sha256(file);
        TrainMetrics metrics = new TrainMetrics(
                0.5, 0.5, 0, 1, 0, 0, 0, 1, null, 1, batch.tokens().length, 1, 0, 0, 0.01, 100, null, null);
        trainings.add(request.operationId());
        done(request.operationId(), new TrainResult(step, batchSha256, metrics, Float32Array.of(), weights));
        return operation(request.operationId());
    }

    private static boolean isPaused() {
        String until = System.getenv(PAUSE);
        return until != null && !Files.exists(Path.of(until));
    }

    private static Operation onTwoRanks(String id) {
        List<RankProgress> ranks = List.of(
                new RankProgress(0, "optimizer step 1, micro-batch 5 of 8", 2),
                new RankProgress(1, "optimizer step 1, micro-batch 4 of 8", 12));
        return new Operation(id, Operation.State.RUNNING, 0.5, null, null, ranks);
    }

    /** A critic that expects the same of every token, by what it was trained on. */
    static float value(String weights) {
        return weights.equals("source") ? 0.25f : Integer.parseInt(weights.substring(0, 4), 16) / 65536f;
    }

    private Operation forward(ForwardRequest request) {
        admit(request.epoch());
        int tokens = BatchFile.read(Path.of(request.batch())).tokens().length;
        ByteBuffer values = ByteBuffer.allocate(tokens * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < tokens; t++) {
            values.putFloat(value(weights));
        }
        String name = request.want().iterator().next().name().toLowerCase(Locale.ROOT);
        Path out = Path.of(request.out());
        SafetensorsWriter.write(
                out, List.of(TensorSource.of(name, DType.F32, List.of((long) tokens), values.flip())), Map.of());
        return done(request.operationId(), new ForwardResult(request.out(), BatchFile.sha256(out), tokens, 0.01));
    }

    private static void refuseTooLarge(Batch batch) {
        int most = Integer.parseInt(System.getenv().getOrDefault(MAX_TOKENS, "" + Integer.MAX_VALUE));
        Map<List<Integer>, Integer> tokens = new HashMap<>();
        for (int i = 0; i < batch.samples(); i++) {
            int sum = tokens.merge(
                    List.of(batch.optimizerStep(i), batch.rank(i), batch.microBatch(i)), batch.length(i), Integer::sum);
            if (sum > most) {
                throw new Refusal(
                        WorkerErrorCode.OUT_OF_MEMORY, "a micro-batch of %d tokens, %d fit".formatted(sum, most));
            }
        }
    }

    private Operation export(ExportRequest request) throws IOException {
        admit(request.epoch());
        need(Held.WEIGHTS);
        weightVersion = request.version();
        return done(request.operationId(), files(Path.of(request.dir()), content()));
    }

    private Operation save(SaveRequest request) throws IOException {
        admit(request.epoch());
        need(Held.WEIGHTS, Held.OPTIMIZER);
        Path directory = Path.of(request.dir());
        for (Path folder = directory; folder != null; folder = folder.getParent()) {
            if (Files.exists(folder.resolve(FULL))) {
                throw new Refusal(WorkerErrorCode.DISK_FULL, directory + " needs 1 byte and 0 are left");
            }
        }
        if (request.asynchronous()) {
            unwritten.put(request.operationId(), new Unwritten(directory, content(), 1));
            return running(request.operationId());
        }
        return done(request.operationId(), files(Path.of(request.dir()), content()));
    }

    private static Operation running(String id) {
        return new Operation(id, Operation.State.RUNNING, 0, null, null);
    }

    private String content() {
        return step + "\n" + weights + "\n";
    }

    private FilesWritten files(Path directory, String content) throws IOException {
        Files.createDirectory(directory);
        Files.writeString(directory.resolve("weights.txt"), content);
        String manifest = Manifest.write(directory);
        return new FilesWritten(directory.toString(), directory + "/manifest.json", manifest, 1, 0.01);
    }
}
