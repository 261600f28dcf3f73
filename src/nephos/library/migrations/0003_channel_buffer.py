from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("library", "0002_asset_keep_mediafile_freed_at"),
    ]

    operations = [
        migrations.AddField("channel", "buffer_seconds", models.PositiveIntegerField(default=0)),
        migrations.AddField("channel", "buffer_since", models.DateTimeField(null=True)),
        migrations.AddField("channel", "bits_per_second", models.PositiveBigIntegerField(default=0)),
    ]
