package dev.sluice.domain.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShellReaderTest {
    /** Expected: what GNU bash 5.2.15 gave train.py when it ran the script; see forms.arguments.txt. */
    @Test
    void everyFormOfTheScriptComesOutAsInBash() {
        String script = Scripts.find(ShellReaderTest.class, "forms.sh").orElseThrow();

        ShellReading reading = ShellReader.read(
                new ShellScript("forms.sh", Scripts.FOLDER, script),
                Map.of(),
                path -> Scripts.find(ShellReaderTest.class, path.replace(Scripts.FOLDER + "/", "")));

        assertThat(reading.remarks()).isEmpty();
        Command train = Scripts.command(reading, "python3");
        assertThat(Scripts.texts(train).subList(2, train.arguments().size()))
                .isEqualTo(Scripts.words(ShellReaderTest.class, "forms.arguments.txt"));
        assertThat(train.arguments()).allMatch(Field::known);
    }

    @Test
    void nothingIsRunAndWhatACommandWouldPrintIsAGap(@TempDir Path folder) {
        Path mark = folder.resolve("mark");

        ShellReading reading = Scripts.read(
                "touch %1$s\nX=$(touch %1$s; echo 1)\nY=`touch %1$s`\nshow \"$X\" $Y <(touch %1$s)\n".formatted(mark));

        assertThat(Files.exists(mark)).isFalse();
        assertThat(Scripts.command(reading, "show").arguments().subList(1, 4))
                .noneMatch(Field::known)
                .allSatisfy(
                        field -> assertThat(field.gaps().getFirst().reason()).contains("commands are not run"));
    }

    @Test
    void everyWordKnowsTheLineThatItIsWrittenIn() {
        ShellReading reading = Scripts.read("""
                ARGS=(
                   --one 1

                   # --two 2
                   --three 3
                )
                show \\
                   --zero \\
                   ${ARGS[@]}
                """);

        assertThat(Scripts.command(reading, "show").arguments())
                .extracting(field -> field.place().line() + " " + field.text())
                .containsExactly("7 show", "8 --zero", "2 --one", "2 1", "5 --three", "5 3");
    }

    @Test
    void aVariableThatIsSetNowhereIsAGapUntilItIsGiven() {
        String script = "show $BASE_DIR/model ${BASE_DIR}\n";

        Command unknown = Scripts.command(Scripts.read(script), "show");
        Command known = Scripts.command(Scripts.read(script, Map.of("BASE_DIR", "/data")), "show");

        assertThat(unknown.arguments().get(1).gaps())
                .containsExactly(new Gap("${BASE_DIR}", "BASE_DIR is set nowhere in the script", "BASE_DIR"));
        assertThat(unknown.arguments().get(2).blank()).isTrue();
        assertThat(Scripts.texts(known)).containsExactly("show", "/data/model", "/data");
    }

    @Test
    void ofAConditionThatIsNotKnownAllBranchesAreReadInDoubt() {
        ShellReading reading = Scripts.read("""
                COUNT=$(nvidia-smi | wc -l)
                ARGS=(--always)
                if [ "$COUNT" -gt 0 ]; then
                    LINK=1
                    ARGS+=(--linked)
                else
                    LINK=0
                fi
                show $LINK "${ARGS[@]}"
                """);

        Command show = Scripts.command(reading, "show");
        assertThat(show.arguments().get(1).gaps().getFirst().reason())
                .isEqualTo("the value of LINK is decided when the script runs (run.sh:3)");
        assertThat(show.arguments().get(2).doubt()).isNull();
        assertThat(show.arguments().get(3).doubt()).isEqualTo(Doubt.condition(new Place("run.sh", 3)));
    }

    @Test
    void aLoopIsReadOnceAndWhatItSetsIsNotKnown() {
        ShellReading reading = Scripts.read("""
                LAYERS=48
                arr=()
                for ((i=0; i<LAYERS; i++)); do
                  if (( i < 1 )); then arr+=(0); else arr+=(1); fi
                done
                printf -v FREQ "[%s]" "$(IFS=', '; echo "${arr[*]}")"
                for NODE in a b; do ssh "$NODE" "train &" & done; wait
                show "$FREQ" "$NODE"
                """);

        assertThat(reading.remarks()).isEmpty();
        Command show = Scripts.command(reading, "show");
        assertThat(show.arguments().get(1).gaps().getFirst().reason()).contains("FREQ is set by printf");
        assertThat(show.arguments().get(2).known()).isFalse();
    }

    /** In each case bash -n complains; the line is that of the opening. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "echo ok;echo \"never closed;echo end| 2 | double quote",
                "A=(--x 1;'--y;)| 2 | single quote",
                "A=(;--x 1;show| 1 | A=(",
                "X=$((1 + 2;show| 1 | $((",
                "X=${Y;show| 1 | ${",
                "if true; then;show| 1 | if",
                "for x in a; do;show| 1 | for",
                "show;}| 2 | not expected",
                "show;fi| 2 | without its beginning",
                "case x in;a) show| 1 | case",
                "show $(cat <<EOF;text;)| 1 | here-document",
                "show );done| 1 | not expected",
            })
    void whatIsNotClosedIsAnErrorWithItsLine(String script, int line, String message) {
        ShellReading reading = Scripts.read(script.replace(";", "\n"));

        assertThat(reading.broken()).isTrue();
        assertThat(reading.remarks().getFirst().place()).isEqualTo(new Place("run.sh", line));
        assertThat(reading.remarks().getFirst().message()).contains(message);
    }

    @Test
    void aBrokenSourcedFileIsNamedAndTheScriptIsReadOn() {
        ShellReading reading = ShellReader.read(
                new ShellScript("run.sh", "scripts", "source scripts/model.sh\nshow\n"),
                Map.of(),
                path -> Optional.of("A=1\nB='open"));

        assertThat(reading.remarks()).extracting(Remark::place).containsExactly(new Place("model.sh", 2));
        assertThat(reading.commands()).hasSize(1);
    }

    @Test
    void aSourcedFileThatIsNotThereIsMissing() {
        ShellReading reading = Scripts.read("source \"$(dirname $0)/../models/a.sh\"\n. $UNKNOWN/b.sh\n");

        assertThat(reading.missing())
                .extracting(ShellReading.MissingSource::path)
                .containsExactly("/scripts/models/a.sh", "${UNKNOWN}/b.sh");
    }

    @Test
    void exportsAndVariablesOfOneCommandAreTold() {
        ShellReading reading = Scripts.read("export A=1 B\nB=2\nC=3\ndeclare -x D=4\nunset A\nE=5 F=\"6 7\" show\n");

        assertThat(reading.exported()).containsOnlyKeys("B", "D");
        assertThat(Scripts.command(reading, "show").environment())
                .extractingByKey("F")
                .extracting(Field::text)
                .isEqualTo("6 7");
    }

    @Test
    void evalIsToldAsNotRead() {
        assertThat(Scripts.read("eval \"$X\"\n").remarks())
                .extracting(Remark::message)
                .isEqualTo(List.of("eval is not read"));
    }
}
