package dev.sluice.cli.stack;

import java.nio.file.Path;
import java.util.List;

/**
 * Flags of the JVMs that a stack starts: little memory and quick starts, because seven of them share one machine. No archive
 * of classes is written at their end: it would save a third of the next start's CPU time, but on a busy machine it keeps
 * them alive for longer than the 15 s within which nobody may be left.
 */
final class JavaFlags {
    static final List<String> SERVICE = List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    /** It hashes whole checkpoints: the quick compiler does not use the processor's instructions for SHA-256. */
    static final List<String> CONVERTER = List.of("-Xmx128m", "-XX:+UseSerialGC");
    /** Services that hold groups and batches in memory. */
    static final List<String> POOL_SERVICE = List.of("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    static final List<String> BROKER = List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    static final List<String> CPU_BACKEND =
            List.of("-Xmx768m", "-XX:+UseSerialGC", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED");

    private JavaFlags() {}

    /** The program that runs this process. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
