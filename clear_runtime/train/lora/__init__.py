"""Stage II: a LoRA on the frozen Wan2.1, trained with an occlusion head whose prediction weighs the diffusion loss."""
