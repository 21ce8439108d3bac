"""Weight shapes of Wan models as their files have them: what tells one kind from another."""


def shapes(width=1536, channels=48, blocks=3, img_emb=True, ref_conv=True):
    out = {
        "patch_embedding.weight": (width, channels, 1, 2, 2),
        "text_embedding.0.weight": (width, 4096),
        "text_embedding.2.weight": (width, width),
        "time_embedding.0.weight": (width, 256),
        "time_embedding.2.weight": (width, width),
        "time_projection.1.weight": (6 * width, width),
        "head.head.weight": (64, width),
        "head.modulation": (1, 2, width),
    }
    if img_emb:
        out |= {"img_emb.proj.1.weight": (1280, 1280), "img_emb.proj.3.weight": (width, 1280)}
    if ref_conv:
        out["ref_conv.weight"] = (width, 16, 2, 2)
    for i in range(blocks):
        out |= {f"blocks.{i}.self_attn.{n}.weight": (width, width) for n in "qkvo"} | {
            f"blocks.{i}.modulation": (1, 6, width)
        }
    return out
