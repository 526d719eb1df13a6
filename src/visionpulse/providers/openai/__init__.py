"""OpenAI's models, and every server that speaks its language: prompts, pictures, speech."""

from visionpulse.providers.openai.images import OpenAIImages
from visionpulse.providers.openai.prompts import OpenAIPrompts
from visionpulse.providers.openai.speech import OpenAISpeech

__all__ = ["OpenAIImages", "OpenAIPrompts", "OpenAISpeech"]
