"""ComfyUI's entry point to the pack. Importing this file alone imports nothing else, so that tests may collect it
anywhere."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():
    from .nodes import ClearExtension  # with it comes ComfyUI, which tests that collect this file may not have

    return ClearExtension()
