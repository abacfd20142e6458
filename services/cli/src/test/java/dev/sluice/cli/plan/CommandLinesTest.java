package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommandLinesTest {
    @Test
    void bothCommandsStandWithTheirEnvironmentFirst() {
        assertThat(new PlanPage(ExamplePlans.oneNode(), ExamplePlans.glmOnOneNode(), 100).commands())
                .isEqualTo("""
                # training; WORKER is -m sluice_megatron
                CUDA_DEVICE_MAX_CONNECTIONS=1 \\
                torchrun --nnodes 1 --nproc-per-node 8 WORKER --tensor-model-parallel-size 1 \\
                    --pipeline-model-parallel-size 1 --expert-model-parallel-size 8 \\
                    --moe-layer-freq '[0]*1+[1]*46' --optimizer-cpu-offload --use-distributed-optimizer \\
                    --recompute-granularity full

                # rollout, 1 such engine; host and port are added
                python3 -m sglang.launch_server --model-path /data/GLM-4.7-Flash --tp-size 8 --dp-size 8 \\
                    --enable-dp-attention --enable-dp-lm-head --mem-fraction-static 0.7 --cuda-graph-max-bs 16 \\
                    --max-running-requests 128""");
    }

    @Test
    void aCpuPlanNeedsNoTorchrun() {
        assertThat(new PlanPage(ExamplePlans.request(""), ExamplePlans.cpu(), 100).commands())
                .isEqualTo("""
                # training; WORKER is sluice.trainer.worker.command
                WORKER --num-layers 4

                # rollout, 2 such engines; host and port are added
                ENGINE --model-path /data/GLM-4.7-Flash --context-length 256""");
    }

    @Test
    void eachNodeOfAnEngineGetsItsRankAndWhereAllMeet() {
        assertThat(new PlanPage(ExamplePlans.request(""), ExamplePlans.cpuOverTwoNodes(), 100).commands())
                .endsWith("""
                # rollout, 1 such engine of 2 nodes; RANK of a node is 0 to 1, HEAD:PORT where all meet node 0; host and port are added
                ENGINE --model-path /data/GLM-4.7-Flash --tp-size 2 --nnodes 2 --node-rank RANK \\
                    --dist-init-addr HEAD:PORT""");
    }

    /** The shell itself says what it reads. */
    @Test
    void aShellReadsTheArgumentsAsTheyArePlanned() throws IOException {
        String commands = new PlanPage(ExamplePlans.oneNode(), ExamplePlans.glmOnOneNode(), 60).commands();

        assertThat(wordsThatTorchrunGets(commands))
                .containsSubsequence(ExamplePlans.glmOnOneNode().training().args());
    }

    private static List<String> wordsThatTorchrunGets(String commands) throws IOException {
        String script = "torchrun() { printf '%s\\n' \"$@\"; }\npython3() { :; }\n" + commands;
        Process shell =
                new ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start();
        return new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
    }
}
