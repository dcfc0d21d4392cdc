"""The pages in the visitor's language: texts that stand by Gradio's own `I18n`, what a run says where it leaves."""
