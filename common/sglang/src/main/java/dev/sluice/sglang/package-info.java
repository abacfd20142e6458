/**
 * SGLang's HTTP API: its wire records, read and written by the rollout service (client) and by the CPU engine (server), and a
 * client. Field names and defaults are those of SGLang 0.5.15; names that older and newer versions use are read as well.
 */
@NullMarked
package dev.sluice.sglang;

import org.jspecify.annotations.NullMarked;
