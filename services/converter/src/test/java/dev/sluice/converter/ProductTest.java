package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.Manifest;
import dev.sluice.converter.ConverterConfig.Check;
import dev.sluice.converter.Product.Found;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProductTest {
    @TempDir
    Path directory;

    private Path made;

    @BeforeEach
    void make() throws IOException {
        made = directory.resolve("made");
        Files.createDirectories(made.resolve("release"));
        Files.writeString(made.resolve("tracker"), "release");
        Files.writeString(made.resolve("release/weights"), "abcdef");
        Manifest.write(made);
    }

    @Test
    void nothingIsNothing() throws IOException {
        assertThat(new Product(directory.resolve("none"), Check.QUICK, read -> {}).look())
                .isEqualTo(new Found.Nothing());
    }

    @Test
    void aDirectoryWithoutAListDoesNotCount() throws IOException {
        assertThat(problems(Check.QUICK)).singleElement().asString().contains("no readable made.files.json");

        Files.writeString(directory.resolve("made.files.json"), "{\"source\":\"s\",\"files\":");
        assertThat(problems(Check.QUICK)).singleElement().asString().contains("no readable made.files.json");
    }

    @Test
    void aFinishedOneIsRememberedWithWhatItWasMadeFrom() throws IOException {
        Listing written = product(Check.QUICK).finish("source", List.of("a.tensor"));

        assertThat(product(Check.QUICK).look()).isEqualTo(new Found.Intact(written));
        assertThat(written.source()).isEqualTo("source");
        assertThat(written.carriedOver()).containsExactly("a.tensor");
        assertThat(written.bytes()).isEqualTo(13 + Files.size(made.resolve(Manifest.FILE)));
    }

    @Test
    void everyMissingShortenedAndForeignFileIsNamed() throws IOException {
        product(Check.QUICK).finish("source", List.of());
        Files.delete(made.resolve("tracker"));
        Files.writeString(made.resolve("release/weights"), "abc");
        Files.writeString(made.resolve("release/extra"), "?");

        assertThat(problems(Check.QUICK))
                .containsExactlyInAnyOrder(
                        "tracker is missing", "release/weights has 3 bytes, not 6", "release/extra is not listed");
    }

    @Test
    void onlyAFullCheckNoticesAnotherByte() throws IOException {
        product(Check.QUICK).finish("source", List.of());
        Files.writeString(made.resolve("release/weights"), "abcdeX");

        assertThat(problems(Check.QUICK)).isEmpty();
        assertThat(problems(Check.FULL))
                .singleElement()
                .asString()
                .startsWith("release/weights has 6 bytes with XXH3 ");
    }

    @Test
    void aManifestThatIsMissingOrAnotherStandsForNothing() throws IOException {
        product(Check.QUICK).finish("source", List.of());
        Files.writeString(made.resolve("release/weights"), "abcdeX");
        Manifest.write(made);
        assertThat(problems(Check.QUICK)).containsExactly("manifest.json has another content than when it was made");

        Files.delete(made.resolve(Manifest.FILE));
        assertThat(problems(Check.QUICK)).containsExactly("manifest.json is missing");
    }

    @Test
    void whatIsDiscardedLeavesNothing() throws IOException {
        product(Check.QUICK).finish("source", List.of());
        Path outside = Files.writeString(directory.resolve("outside"), "kept");
        Files.createSymbolicLink(made.resolve("link"), outside);

        product(Check.QUICK).discard();

        assertThat(Models.filesOf(directory)).containsExactly(outside);
    }

    @Test
    void whatIsSetAsideKeepsItsFilesUnderANumber() throws IOException {
        Path first = product(Check.QUICK).setAside();
        make();
        Path second = product(Check.QUICK).setAside();

        assertThat(first).isEqualTo(directory.resolve("made-replaced-1"));
        assertThat(second.resolve("release/weights")).content().isEqualTo("abcdef");
        assertThat(made).doesNotExist();
    }

    private Product product(Check check) {
        return new Product(made, check, read -> {});
    }

    private List<String> problems(Check check) throws IOException {
        return product(check).look() instanceof Found.Damaged damaged ? damaged.problems() : List.of();
    }
}
