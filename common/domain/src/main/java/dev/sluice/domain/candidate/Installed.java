package dev.sluice.domain.candidate;

/**
 * Declared versions of the installed programs, for rules that depend on them.
 *
 * @param sglang such as 0.5.15.post1
 * @param megatron Megatron-Core, such as 0.19.1
 * @param trainer the program that trains and the version or day of it, such as {@code sluice@0.1} or
 *     {@code slime@2026-08-21}
 */
public record Installed(Version sglang, Version megatron, String trainer) {}
