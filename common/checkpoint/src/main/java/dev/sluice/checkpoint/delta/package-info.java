/**
 * Weight deltas: what changed between two versions of a model, as slime publishes it on a shared disk and its SGLang patch reads it.
 *
 * <p>The format, read from THUDM/slime: the trainer's side is {@code slime/utils/disk_delta.py} and
 * {@code slime/backends/megatron_utils/update_weight/update_weight_from_disk_delta.py}, the engine's side
 * {@code docker/patch/latest/sglang-pull_weights.patch}. Version N lies in {@code weight_vNNNNNN/} (six digits at least). It is either a whole
 * Hugging Face checkpoint or a delta against version N-1; a delta is what has {@code delta_encoding} in the metadata of its index.
 *
 * <ul>
 *   <li>{@code model.safetensors.index.json}, one line as Python's {@code json.dumps} writes it: {@code metadata} with the strings {@code version} and
 *       {@code base_version} (six digits), {@code delta_encoding} ({@code xor}, {@code overwrite}), {@code compression_format} ({@code zstd}),
 *       {@code checksum_format} ({@code xxh3-128}, {@code blake3}, {@code adler32}); {@code weight_map} in the order in which the tensors came.
 *   <li>{@code model-NNNNN-of-MMMMM.safetensors}, counted from 00000, one for each rank that has changes; none when nothing changed.
 *   <li>A tensor there is the zstd frame (level 1, with its content size, without a checksum) of a changed tensor's payload, as U8 of rank 1 under that
 *       tensor's name. An unchanged tensor is left out.
 *   <li>{@code __metadata__} of the file maps each name to the checksum of the tensor's whole new bytes in lower-case hexadecimal.
 *   <li>Payload {@code xor}: new bytes xor old bytes, as long as the tensor. Payload {@code overwrite}: u32 count, then that many u32 positions, then one
 *       byte for each; little-endian; both count <em>bytes</em>, not elements, so that a tensor has at most 4 GiB. slime writes positions ascending.
 *   <li>The engine's copy keeps {@code .weight_sync/state.json} with {@code {"version": "NNNNNN"}}; version 0 is the engine's own model path.
 * </ul>
 */
@org.jspecify.annotations.NullMarked
package dev.sluice.checkpoint.delta;
