package dev.sluice.domain.slime;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Kind;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Environment variables that reach training and engines: {@code cluster.environment}. */
final class EnvironmentFlags {
    private static final String TRAIN = "--train-env-vars";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a request can name: variables of CUDA, NCCL, Transformer Engine, NVSHMEM, PyTorch, SGLang and networks. */
    private static final List<String> NAMED = List.of(
            "CUDA_DEVICE_MAX_CONNECTIONS",
            "CUBLAS_WORKSPACE_CONFIG",
            "PYTORCH_CUDA_ALLOC_CONF",
            "PYTORCH_ALLOC_CONF",
            "GLOO_SOCKET_IFNAME",
            "TP_SOCKET_IFNAME");

    private static final List<String> NAMED_PREFIXES =
            List.of("NCCL_", "TORCH_NCCL_", "NVTE_", "NVSHMEM_", "SGLANG_", "SGL_");

    /** What Sluice sets itself, or what concerns slime's own processes alone. */
    private static final List<String> OWN = List.of(
            "PYTHONPATH",
            "PYTHONUNBUFFERED",
            "PYTHONBUFFERED",
            "LD_LIBRARY_PATH",
            "PATH",
            "MASTER_ADDR",
            "MASTER_PORT",
            "NO_PROXY",
            "HTTP_PROXY",
            "HTTPS_PROXY");

    private final Draft draft;
    private final Map<String, String> environment = new TreeMap<>();

    EnvironmentFlags(Draft draft) {
        this.draft = draft;
    }

    /** Reads them, writes them into the request and returns them; what is nearer to the training command counts. */
    Map<String, String> read(Map<String, Field> exported, Launch launch) {
        exported.forEach((name, field) -> take(name, field.text(), field.known(), field.place(), false));
        Field runtime = launch.runtimeEnvironment();
        if (runtime != null) {
            document(runtime.text(), runtime.place(), null, "env_vars");
        }
        launch.environment().forEach((name, field) -> take(name, field.text(), field.known(), field.place(), true));
        draft.text(TRAIN).ifPresent(text -> document(text, draft.place(TRAIN), TRAIN, ""));
        if (!environment.isEmpty()) {
            ObjectNode node = JsonNodeFactory.instance.objectNode();
            environment.forEach(node::put);
            draft.put("cluster.environment", node);
        }
        return environment;
    }

    private void document(String text, Place place, @Nullable String flag, String key) {
        try {
            JsonNode root = JSON.readTree(text);
            JsonNode variables = key.isEmpty() ? root : root.path(key);
            variables.properties().forEach(entry -> {
                String value = entry.getValue().asText();
                take(entry.getKey(), value, !value.contains("${") && !value.contains("$("), place, true);
            });
        } catch (JsonProcessingException e) {
            // A document that a command would write is no document here, and not the script's mistake.
            boolean written = text.startsWith("$(") || text.startsWith("${");
            draft.findings()
                    .warning(
                            written ? Kind.VALUE : Kind.SYNTAX,
                            place,
                            flag,
                            "the environment is not read: "
                                    + (written
                                            ? FlagReader.shortened(text) + " is known only when the script runs"
                                            : "it is no JSON document"),
                            "write its variables to cluster.environment of the request");
        }
    }

    private void take(String name, String value, boolean known, Place place, boolean meant) {
        boolean named = NAMED.contains(name) || NAMED_PREFIXES.stream().anyMatch(name::startsWith);
        if (named && known && !value.isBlank()) {
            environment.put(name, value);
        } else if (named) {
            draft.findings()
                    .note(
                            place,
                            null,
                            "%s is decided when the script runs; it is left out, and the machine's own value counts"
                                    .formatted(name),
                            "set cluster.environment.%s in the request".formatted(name));
        } else if (meant && !OWN.contains(name.toUpperCase(Locale.ROOT))) {
            draft.findings()
                    .warning(
                            Kind.UNSUPPORTED,
                            place,
                            null,
                            "%s has no place in a request: only variables of CUDA, NCCL, PyTorch and SGLang reach engines and training"
                                    .formatted(FlagReader.shortened(name)),
                            "remove it, or set it where rollout and trainer instances are started");
        }
    }
}
