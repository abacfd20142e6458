package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.domain.slime.Finding.Severity;
import dev.sluice.events.Algorithm.LossNormaliser;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KindFlagsTest {
    /** The arguments are those of slime's scripts/run-qwen3-4B-base-sft.sh, with --num-rollout for --num-epoch. */
    @Test
    void slimesScriptOfSupervisedFineTuningBecomesARequestOfIt() {
        Imported imported = SlimeScripts.imported("sft.sh", """
                SFT_ARGS=(
                   --hf-checkpoint /root/Qwen3-4B-Base/
                   --save-interval 1000
                   --rollout-function-path slime.rollout.sft_rollout.generate_rollout
                   --prompt-data /root/openhermes2_5.jsonl
                   --input-key messages
                   --rollout-shuffle
                   --num-rollout 3000
                   --rollout-batch-size 128
                   --global-batch-size 128
                   --loss-type sft_loss
                   --calculate-per-token-loss
                   --disable-compute-advantages-and-returns
                   --debug-train-only
                   --use-dynamic-batch-size
                   --max-tokens-per-gpu 9216
                   --lr 1e-5
                )
                python3 train_async.py --actor-num-nodes 1 --actor-num-gpus-per-node 8 ${SFT_ARGS[@]}
                """, Map.of());

        TrainingRequest request = request(imported);
        assertThat(RunKind.of(request)).isEqualTo(RunKind.SUPERVISED);
        assertThat(request.data().applyChatTemplate()).isTrue();
        assertThat(request.data().promptKey()).isEqualTo("messages");
        assertThat(request.algorithm().lossNormaliser()).isEqualTo(LossNormaliser.TOKEN);
        assertThat(request.training().steps()).isEqualTo(3000);
    }

    @Test
    void aScriptThatOnlySamplesBecomesARunWithoutSteps() {
        Imported imported = SlimeScripts.with("   --debug-rollout-only --save-debug-rollout-data /tmp/{rollout_id}.pt");

        assertThat(RunKind.of(request(imported))).isEqualTo(RunKind.ROLLOUT_ONLY);
    }

    private static TrainingRequest request(Imported imported) {
        assertThat(imported.findings().stream().filter(finding -> finding.severity() == Severity.ERROR))
                .isEmpty();
        return switch (RequestReader.read(imported.request())) {
            case Reading.Complete complete -> complete.request();
            case Reading.Refused refused ->
                throw new AssertionError(refused.problems().toString());
        };
    }
}
