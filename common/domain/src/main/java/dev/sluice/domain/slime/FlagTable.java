package dev.sluice.domain.slime;

import dev.sluice.domain.slime.KnownFlag.Arity;
import dev.sluice.domain.slime.KnownFlag.Owner;
import dev.sluice.domain.slime.Treatment.Otherwise;
import dev.sluice.domain.spelling.Spelling;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Every flag that an import knows: {@code slime-flags.tsv} with slime's and Megatron's and those of SGLang that are
 * treated apart, {@code sglang-flags.tsv} with all others of SGLang.
 */
final class FlagTable {
    private static final String ABSENT = "-";
    private static final Map<String, KnownFlag> KNOWN = new LinkedHashMap<>();
    private static final Map<String, String> SECOND_NAMES = new LinkedHashMap<>();

    static {
        lines("slime-flags.tsv").forEach(FlagTable::slime);
        lines("sglang-flags.tsv").forEach(FlagTable::sglang);
    }

    private FlagTable() {}

    static Collection<KnownFlag> all() {
        return Collections.unmodifiableCollection(KNOWN.values());
    }

    /** The flag of this name; a second name of an SGLang flag gives the flag by its first. */
    static Optional<KnownFlag> find(String name) {
        return Optional.ofNullable(KNOWN.get(SECOND_NAMES.getOrDefault(name, name)));
    }

    /** {@code "; did you mean --x?"}, or nothing. */
    static String didYouMean(String name) {
        return nearest(name).map(known -> "; did you mean " + known + "?").orElse("");
    }

    /** The known name that was probably meant. */
    static Optional<String> nearest(String name) {
        // Among SGLang's flags the prefix says nothing; with it every short name would be near.
        if (name.startsWith(KnownFlag.SGLANG)) {
            List<String> names = KNOWN.keySet().stream()
                    .filter(known -> known.startsWith(KnownFlag.SGLANG))
                    .map(known -> known.substring(KnownFlag.SGLANG.length()))
                    .toList();
            return Spelling.nearest(name.substring(KnownFlag.SGLANG.length()), names)
                    .map(KnownFlag.SGLANG::concat);
        }
        return Spelling.nearest(name, KNOWN.keySet());
    }

    private static void slime(String[] cells) {
        Arity arity = Arity.of(cells[2]);
        String standard = cells[3].equals(ABSENT) ? null : cells[3];
        KNOWN.put(cells[0], new KnownFlag(cells[0], owner(cells[1]), arity, standard, treatment(cells)));
    }

    private static void sglang(String[] cells) {
        String name = KnownFlag.SGLANG + cells[0].substring(2);
        if (cells[2].equals(ABSENT)) {
            KNOWN.putIfAbsent(
                    name, new KnownFlag(name, Owner.SGLANG, Arity.of(cells[1]), null, new Treatment.Sglang()));
        } else {
            SECOND_NAMES.put(name, KnownFlag.SGLANG + cells[2].substring(2));
        }
    }

    private static Treatment treatment(String[] cells) {
        String detail = cells[5];
        return switch (cells[4]) {
            case "maps" -> {
                String[] place = detail.split(" ");
                yield new Treatment.Maps(place[0], Treatment.Kind.valueOf(place[1].toUpperCase(Locale.ROOT)));
            }
            case "joins" -> new Treatment.Joins(detail);
            case "given" ->
                new Treatment.Given(
                        detail.equals("*") ? List.of() : List.of(detail.split("\\|")),
                        otherwise(cells[6]),
                        cells[7],
                        cells[8]);
            case "unsupported" ->
                new Treatment.Unsupported(
                        detail.equals(ABSENT) ? List.of() : List.of(detail.split("\\|")),
                        otherwise(cells[6]),
                        cells[7],
                        cells[8]);
            case "shape" -> new Treatment.Shape();
            case "megatron" -> new Treatment.Megatron();
            default -> throw new IllegalStateException("%s has no treatment \"%s\"".formatted(cells[0], cells[4]));
        };
    }

    private static Otherwise otherwise(String cell) {
        if (cell.equals(ABSENT) || cell.equals("megatron")) {
            return new Otherwise(null, null);
        }
        String[] words = cell.split(" ");
        @Nullable String rule = words.length > 1 ? words[1] : null;
        return new Otherwise(Finding.Severity.valueOf(words[0].toUpperCase(Locale.ROOT)), rule);
    }

    private static Owner owner(String letter) {
        return switch (letter) {
            case "s" -> Owner.SLIME;
            case "m" -> Owner.MEGATRON;
            case "b" -> Owner.BOTH;
            case "g" -> Owner.SGLANG;
            default -> throw new IllegalStateException("no owner \"" + letter + "\"");
        };
    }

    private static List<String[]> lines(String resource) {
        try (InputStream file = FlagTable.class.getResourceAsStream(resource)) {
            if (file == null) {
                throw new IllegalStateException("the packaged " + resource + " is missing");
            }
            return new String(file.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split("\t"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged " + resource + " cannot be read", e);
        }
    }
}
