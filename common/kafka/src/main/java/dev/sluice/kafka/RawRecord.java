package dev.sluice.kafka;

import org.jspecify.annotations.Nullable;

/**
 * A record of a topic that is read strictly, unchecked.
 *
 * @param type the CloudEvents type, if there is one
 * @param id the CloudEvents id, if there is one
 * @param key the record key, if there is one
 */
public record RawRecord(
        @Nullable String type,
        @Nullable String id,
        @Nullable String key,
        byte[] value,
        long offset) {}
