package dev.sluice.cpu.http;

/** Answers the calls of a route; runs in a virtual thread and may block. */
@FunctionalInterface
public interface Handler {
    Answer handle(Call call) throws Exception;
}
