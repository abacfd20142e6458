package dev.sluice.cli.doctor;

import dev.sluice.events.Plan;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A package that an engine or a worker imports.
 *
 * @param module as it is imported
 * @param distributions names under which it is installed
 * @param version that Sluice was measured with; null: any
 * @param role whether it can be done without
 * @param install what mends it
 */
record PythonPackage(
        String module, List<String> distributions, @Nullable String version, Role role, String install) {

    /** Whether a package can be done without. */
    sealed interface Role {
        /** Nothing works without it. */
        record Required() implements Role {}

        /**
         * Some things need it.
         *
         * @param purpose what needs it
         * @param missed whether others are worse off without it, too
         * @param asks whether a plan needs it
         */
        record Optional(String purpose, boolean missed, Predicate<Plan> asks) implements Role {}
    }

    static final List<PythonPackage> OF_ENGINE = List.of(
            required("torch", "2.11", "pip install sglang==0.5.15.post1, which brings it", "torch"),
            required("sglang", "0.5.15.post1", "pip install sglang==0.5.15.post1 'fastapi<0.137'", "sglang"),
            required(
                    "sgl_kernel",
                    null,
                    "pip install sglang==0.5.15.post1, which brings sglang-kernel",
                    "sglang-kernel",
                    "sgl-kernel"),
            optional(
                    "flashinfer",
                    new Role.Optional(
                            "attention and sampling backends of that name",
                            false,
                            plan -> plan.rollout().args().contains("flashinfer")),
                    "pip install flashinfer-python, or leave those backends out",
                    "flashinfer-python"),
            optional(
                    "deep_ep",
                    new Role.Optional(
                            "--moe-a2a-backend deepep",
                            false,
                            plan -> plan.rollout().args().contains("deepep")),
                    "build it from github.com/deepseek-ai/DeepEP, or set rollout.layout.a2aBackend to none",
                    "deep_ep"));

    static final List<PythonPackage> OF_WORKER = List.of(
            required("torch", "2.11", "pip install services/megatron-worker, which brings it", "torch"),
            required(
                    "megatron.core",
                    "0.19.2",
                    "pip install services/megatron-worker, which brings it",
                    "megatron-core"),
            required("sluice_megatron", null, "pip install services/megatron-worker", "sluice-megatron-worker"),
            required("safetensors", null, "pip install services/megatron-worker, which brings it", "safetensors"),
            optional(
                    "transformer_engine.pytorch",
                    new Role.Optional(
                            "context parallelism, FP8 and its fused kernels",
                            true,
                            plan -> plan.training().layout().cp() > 1
                                    || plan.training().args().contains("--fp8-format")),
                    "pip install --no-build-isolation 'transformer-engine[core_cu13,pytorch]==2.20.2'",
                    "transformer-engine",
                    "transformer_engine"),
            optional(
                    "flash_attn",
                    new Role.Optional(
                            "TransformerEngine's attention where cuDNN's is not to be used", false, plan -> false),
                    "pip install --no-build-isolation flash-attn",
                    "flash-attn"),
            optional(
                    "deep_ep",
                    new Role.Optional(
                            "--moe-enable-deepep",
                            false,
                            plan -> plan.training().args().contains("--moe-enable-deepep")),
                    "build it from github.com/deepseek-ai/DeepEP, or leave that argument out",
                    "deep_ep"),
            optional(
                    "apex",
                    new Role.Optional(
                            "fused kernels that TransformerEngine and PyTorch have too", false, plan -> false),
                    "nothing: it can be done without",
                    "apex"));

    private static PythonPackage required(
            String module, @Nullable String version, String install, String... distributions) {
        return new PythonPackage(module, List.of(distributions), version, new Role.Required(), install);
    }

    private static PythonPackage optional(String module, Role.Optional role, String install, String... distributions) {
        return new PythonPackage(module, List.of(distributions), null, role, install);
    }

    /** As {@code probe.py} reads it. */
    String argument() {
        return module + "=" + String.join("|", distributions);
    }

    /** Whether this version is the one that was measured, or a later patch of it. */
    boolean measured(String found) {
        return version == null
                || found.equals(version)
                || found.startsWith(version + ".")
                || found.startsWith(version + "+");
    }
}
