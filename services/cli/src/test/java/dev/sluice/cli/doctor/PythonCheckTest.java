package dev.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.events.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PythonCheckTest {
    @TempDir
    private Path directory;

    @Test
    void aPythonIsAskedWhatItHasAndWhatDoesNotImport() throws IOException {
        Files.writeString(directory.resolve("sound.py"), "__version__ = '1.2'\n");
        Files.writeString(
                directory.resolve("compiled_for_another.py"), "raise ImportError('undefined symbol: _ZN3c10')\n");
        Files.writeString(directory.resolve("crashing.py"), "import os\nos.abort()\n");

        Probe.Answer answer =
                ask("import", "sound", "missing=missing", "missing.part", "compiled_for_another", "crashing", "never");

        assertThat(said(answer))
                .containsSubsequence(
                        "doctor\tsound\t1.2\tok\t",
                        "doctor\tmissing\t\tabsent\t",
                        "doctor\tmissing.part\t\tabsent\t",
                        "doctor\tcompiled_for_another\t\tbroken\tImportError: undefined symbol: _ZN3c10",
                        "doctor\tcrashing\t\timporting\t")
                .noneMatch(line -> line.contains("never"));
        assertThat(((Probe.Answer.Ended) answer).code()).hasValue(134);
    }

    @Test
    void lookingImportsNothing() throws IOException {
        Files.writeString(directory.resolve("crashing.py"), "import os\nos.abort()\n");

        assertThat(said(ask("look", "crashing"))).contains("doctor\tcrashing\t\tfound\t");
    }

    @Test
    void aProgramThatHangsIsEndedWithWhatItSaid() {
        Probe.Answer answer = Probe.ask(List.of("sh", "-c", "echo begun; sleep 600"), Duration.ofMillis(1500));

        assertThat(answer).isEqualTo(new Probe.Answer.Late("begun\n", Duration.ofMillis(1500)));
    }

    @Test
    void whatIsLackingIsJudgedByWhatNeedsIt() {
        String output = """
                doctor\tpython\t3.12.3\tok\t/venv/bin/python3
                doctor\ttorch\t2.11.0+cu130\tok\tCUDA 13.0, NCCL 2.28.9, 8 GPUs of compute capability 9.0
                doctor\tmegatron.core\t0.16.1\tok\t
                doctor\tsluice_megatron\t0.1.0\tok\t
                doctor\tsafetensors\t0.6.2\tok\t
                doctor\ttransformer_engine.pytorch\t2.9.0\tbroken\tImportError: libcublas.so.13
                doctor\tflash_attn\t\tabsent\t
                doctor\tdeep_ep\t1.2.1\timporting\t
                """;

        List<Finding> findings =
                PythonCheck.ofWorker().judge(output, "Python ended with signal", Optional.<Plan>empty());

        assertThat(findings)
                .extracting(finding -> finding.subject() + ": " + finding.outcome())
                .containsExactly(
                        "worker python: ok",
                        "worker torch: ok",
                        "worker megatron.core: warning",
                        "worker sluice_megatron: ok",
                        "worker safetensors: ok",
                        "worker transformer_engine: warning",
                        "worker flash_attn: ok",
                        "worker deep_ep: warning",
                        "worker apex: not checked");
        assertThat(findings.get(2).found()).isEqualTo("0.16.1; Sluice was measured with 0.19.2");
        assertThat(findings.get(7).found()).startsWith("1.2.1 takes Python down when it is imported");
    }

    @Test
    void aTorchThatSeesNoGpuFailsBesideADriver() {
        String output = "doctor\tpython\t3.12.3\tok\tp\ndoctor\ttorch\t2.11.0\tok\tbuilt for CUDA 13.0, sees no GPU\n";

        Finding torch =
                PythonCheck.ofEngine().judge(output, "", Optional.empty()).get(1);

        assertThat(torch).isInstanceOf(Finding.Failed.class);
        assertThat(torch.mending()).contains("a torch for the driver's CUDA");
    }

    @Test
    void thePythonOfACommandIsItsOwnOrLiesBesideIt() throws IOException {
        Path python = Files.createFile(directory.resolve("python3"));
        assertThat(python.toFile().setExecutable(true)).isTrue();

        assertThat(PythonProgram.of(List.of("/opt/venv/bin/python3.12", "-m", "sglang.launch_server")))
                .contains("/opt/venv/bin/python3.12");
        assertThat(PythonProgram.of(List.of(directory.resolve("torchrun").toString())))
                .contains(python.toString());
        assertThat(PythonProgram.of(List.of("/nowhere/node.sh"))).isEmpty();
    }

    private Probe.Answer ask(String... arguments) throws IOException {
        assumeTrue(
                Probe.ask(List.of("python3", "--version"), Duration.ofSeconds(60)) instanceof Probe.Answer.Ended,
                "there is no python3 on PATH");
        List<String> command = new ArrayList<>(List.of("python3", "-c", Recordings.read("probe.py"), arguments[0]));
        command.addAll(List.of(arguments).subList(1, arguments.length));
        return Probe.ask(command, Map.of("PYTHONPATH", directory.toString()), Duration.ofSeconds(120));
    }

    private static List<String> said(Probe.Answer answer) {
        return ((Probe.Answer.Ended) answer).output().lines().toList();
    }
}
