package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.RepeatedTest;

/** Whatever is done to a script: an import answers, soon, and never throws. */
class RandomScriptTest {
    private static final int MUTANTS = 150;
    private static final List<String> PIECES = List.of(
            "'",
            "\"",
            "`",
            "$(",
            "${",
            "$((",
            "((",
            "))",
            ")",
            "(",
            "{",
            "}",
            "[[",
            "]]",
            "\\",
            "\\\n",
            "\n",
            "#",
            ";;",
            ";",
            "&&",
            "||",
            "|",
            "&",
            "<<EOF\n",
            "<<-'X'\n",
            ">",
            "<(",
            "if ",
            "then ",
            "fi\n",
            "for x in $A; do ",
            "done\n",
            "case $x in ",
            "esac\n",
            "while :; do ",
            "f() { f; }\n",
            "f\n",
            "source $0\n",
            "A=(",
            "A+=(\"${A[@]}\" ${A[@]})\n",
            "B=$B$B$B\n",
            "--lr ",
            "--eval-prompt-data ",
            "${A:-${B:=$C}}",
            "${#A[@]}",
            "${A[9]}",
            "${A%%*}",
            "$((1/0))",
            "$((2**62*9))",
            "-1",
            "1e999",
            "999999999999999",
            "$@",
            "\0",
            "\r\n",
            "\u00e9",
            "=",
            "--runtime-env-json={",
            "python train.py ",
            "$(seq 1 4000) ");

    @RepeatedTest(8)
    void anImportAlwaysAnswers() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> scripts = List.of(
                SlimeScripts.text(SlimeScripts.ONE_NODE),
                SlimeScripts.text(SlimeScripts.TWO_NODES),
                SlimeScripts.text(SlimeScripts.HEAD));

        for (int i = 0; i < MUTANTS; i++) {
            String script = mutated(scripts.get(random.nextInt(scripts.size())), random);
            Assertions.assertTimeoutPreemptively(
                    Duration.ofSeconds(20),
                    () -> {
                        Imported imported = SlimeScripts.imported("run.sh", script, Map.of("BASE_DIR", "/data"));
                        assertThat(imported.findings()).allSatisfy(finding -> {
                            assertThat(finding.message()).isNotBlank();
                            assertThat(finding.mend()).isNotBlank();
                            assertThat(finding.place().line()).isPositive();
                        });
                    },
                    () -> "seed %d, mutant:\n%s".formatted(seed, script));
        }
    }

    private static String mutated(String script, Random random) {
        StringBuilder text = new StringBuilder(script);
        for (int i = random.nextInt(12); i >= 0; i--) {
            int at = random.nextInt(text.length());
            int end = Math.min(text.length(), at + 1 + random.nextInt(40));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> text.insert(at, text.substring(at, end));
                default -> text.setCharAt(at, (char) random.nextInt(1, 128));
            }
        }
        return text.toString();
    }
}
